use super::Trunks;
use crate::testing::{World, show};
use domain::{
    any::AnyCommand,
    id::TrunkId,
    trunk::{Command, Config, Outbound},
};
use uuid::Uuid;

#[tokio::test]
async fn a_trunk_stands_as_it_was_configured_last() {
    let mut world = World::new().await;
    let trunk = TrunkId(Uuid::from_u128(1));
    let mut config = Config {
        allow: vec!["10.0.0.0/8".into()],
        host: None,
        user: None,
        outbound: Outbound::default(),
        forwards: vec![],
    };
    let name = String::from("carrier");
    let create = Command::Create {
        name: name.clone(),
        config: config.clone(),
    };
    world.tell(AnyCommand::Trunk(trunk, create));
    config.host = Some("sip.example".into());
    let configure = Command::Configure { name, config };
    world.tell(AnyCommand::Trunk(trunk, configure));
    assert_eq!(
        show::<Trunks>(
            &world,
            &["name", "allow", "host", "config_version", "position"]
        ),
        "trunks: name=carrier allow=[\"10.0.0.0/8\"] host=sip.example config_version=2 position=2"
    );
}
