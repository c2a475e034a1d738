//! One document as HTML and as PDF: the same words, and the same bytes every
//! time. `LOOK=FOLDER` writes both there, for whoever wants to look at them.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use domain::time::Timestamp;
use ringledger_documents::{
    html::html,
    paper::{Note, Paper, Row, RowKind, Table, figures, words},
    pdf::pdf,
};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// So many lines with their sums.
fn rows(lines: u32) -> Vec<Row> {
    let mut rows = vec![Row::new(RowKind::Group, texts(&["Usage"]))];
    let mut sum = 0;
    for number in 1..=lines {
        sum += 1_234 + number;
        let mut row = Row::item(texts(&[
            &format!("Verbindungen nach Übersee, Ziel {number}"),
            "1,284",
            "min",
            "0.009600",
            "19 %",
            &format!("{}.{:02}", (1_234 + number) / 100, (1_234 + number) % 100),
        ]));
        if number % 3 == 0 {
            row.detail =
                "Included: 500 min. Fernsprechverbindungen für Großabnehmer in Österreich, \
                          der Schweiz und Südtirol, abgerechnet im Takt 60/1"
                    .into();
        }
        row.running = Some(format!("{}.{:02} EUR", sum / 100, sum % 100));
        rows.push(row);
    }
    rows.push(Row::new(
        RowKind::Sum,
        texts(&["Net", "", "", "", "", "40.00"]),
    ));
    rows.push(Row::new(
        RowKind::Sum,
        texts(&["VAT 19 % on 40.00", "", "", "", "", "7.60"]),
    ));
    rows.push(Row::new(
        RowKind::Total,
        texts(&["To be paid, EUR", "", "", "", "", "47.60"]),
    ));
    rows
}

/// An invoice with so many lines.
fn sample(lines: u32) -> Paper {
    Paper {
        language: "en",
        kind: "Invoice".into(),
        title: "Invoice INV-00000042".into(),
        made_at: Timestamp::from_micros(1_800_000_000_000_000),
        sender: texts(&[
            "Muster Telefonie GmbH",
            "Königsallee 7",
            "40212 Düsseldorf",
            "Germany",
            "VAT ID DE123456788",
        ]),
        recipient: texts(&[
            "Blåbærgrød & Söhne <Vertrieb> AG",
            "Straße des 17. Juni 135",
            "10623 Berlin",
        ]),
        facts: [
            ("Invoice number", "INV-00000042"),
            ("Issued on", "2026-11-01"),
            ("Supplied", "2026-10-01 to 2026-10-31"),
            ("Due on", "2026-11-15"),
            ("Customer", "muster-kunde"),
            ("Your VAT ID", "ATU12345675"),
            ("Currency", "EUR"),
        ]
        .map(|(what, value)| (what.to_owned(), value.to_owned()))
        .to_vec(),
        opening: texts(&["For our services in October 2026 we charge as follows."]),
        tables: vec![Table {
            caption: "What we charge for".into(),
            columns: vec![
                words("Description", 44),
                figures("Quantity", 12),
                words("Unit", 9),
                figures("Unit price", 13),
                figures("Tax", 9),
                figures("Amount, EUR", 15),
            ],
            rows: rows(lines),
        }],
        closing: vec![Note {
            heading: "How to pay".into(),
            lines: texts(&[
                "Please transfer 47.60 EUR by 2026-11-15 and name INV-00000042.",
                "IBAN DE02 1203 0000 0000 2020 51, BIC BYLADEM1001",
            ]),
        }],
        beside: Some(Table {
            caption: "Your account".into(),
            columns: vec![words("What", 60), figures("Balance, EUR", 40)],
            rows: vec![Row::item(texts(&["This invoice", "-47.60"]))],
        }),
        footer: "Muster Telefonie GmbH · VAT ID DE123456788".into(),
    }
}

fn look(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("LOOK") {
        let folder = std::path::PathBuf::from(folder);
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Pages that the file says it has.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page\n").count()
        + text.matches("/Type/Page/").count()
        + text.matches("/Type /Page/").count()
}

#[test]
fn the_same_document_has_the_same_bytes() {
    for lines in [1, 150] {
        let paper = sample(lines);
        let first = pdf(&paper).unwrap();
        assert!(first.starts_with(b"%PDF-1."));
        assert_eq!(pdf(&paper).unwrap(), first);
        assert_eq!(html(&paper), html(&paper));
        look(&format!("sample-{lines}.pdf"), &first);
        look(&format!("sample-{lines}.html"), html(&paper).as_bytes());
    }
}

#[test]
fn a_long_table_goes_on_on_the_next_page() {
    let (short, long) = (pdf(&sample(3)).unwrap(), pdf(&sample(150)).unwrap());
    assert_eq!(pages(&short), 1);
    assert!(pages(&long) > 4, "{} pages", pages(&long));
}

#[test]
fn what_is_written_in_a_name_is_no_markup() {
    let page = html(&sample(1));
    assert!(page.contains("Blåbærgrød &amp; Söhne &lt;Vertrieb&gt; AG"));
    assert!(!page.contains("<Vertrieb>") && !page.contains("<script"));
    assert!(page.contains("<html lang=\"en\">") && page.contains("<th scope=\"col\""));
    for elsewhere in ["http://", "https://", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}
