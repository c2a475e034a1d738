//! A machine whose clock can be set and whose power can fail: what
//! `tests/shim/machine.c` does to the process that it is preloaded into.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The library to preload, built once for each test process.
///
/// # Errors
/// When there is no C compiler, or it fails.
pub fn shim() -> anyhow::Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = tempfile::Builder::new()
            .prefix("ringledger-shim-")
            .tempdir()
            .map_err(|error| error.to_string())?
            .keep();
        // PostgreSQL runs as somebody else.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        let library = folder.join("machine.so");
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-o"])
            .arg(&library)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("shim/machine.c"))
            .output()
            .map_err(|error| format!("cc: {error}"))?;
        if output.status.success() {
            Ok(library)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    });
    built.clone().map_err(anyhow::Error::msg)
}

/// Environment of a process whose wall clock is off by so many seconds as the
/// eight bytes of that file say.
///
/// # Errors
/// See [`shim`].
pub fn clock_of(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    Ok(vec![
        ("LD_PRELOAD".into(), shim()?.display().to_string()),
        ("CLOCK_FILE".into(), file.display().to_string()),
    ])
}

/// Sets the clock of that file to so many seconds ahead, or behind.
///
/// # Errors
/// When the file can not be written.
pub fn set_clock(file: &Path, seconds: i64) -> anyhow::Result<()> {
    // In place: whoever is off by it has the file in its memory.
    let file = fs::File::options().write(true).open(file)?;
    file.write_all_at(&seconds.to_ne_bytes(), 0)?;
    Ok(())
}

/// Lets everybody look into that folder.
///
/// # Errors
/// When its mode can not be changed.
pub fn let_read(folder: &Path) -> anyhow::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
