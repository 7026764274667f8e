use super::positions::{Positions, Range};
use super::split::{KafkaSplit, decode};
use headwater_connector_api::Options;
use std::collections::BTreeMap;

fn range(options: &[(&str, &str)]) -> Result<Range, String> {
    let options: BTreeMap<_, _> = options.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    Range::new(Options(&options), false, true).map_err(|error| error.to_string())
}

#[test]
fn positions_are_read() {
    let specific = ("scan.startup.mode", "specific-offsets");
    let offsets = |text| range(&[("topic", "t"), specific, ("scan.startup.specific-offsets", text)]);
    let found = offsets("partition:0,offset:42; partition: 1 , offset: 300;").unwrap();
    assert_eq!(found.start, Positions::Specific(BTreeMap::from([(0, 42), (1, 300)])));
    assert_eq!(found.stop, None);
    for text in ["", "0:1", "partition:0", "partition:0,offset:-1", "partition:0,offset:1,partition:1"] {
        assert!(offsets(text).unwrap_err().contains("expected pairs such as partition:0,offset:42"), "{text}");
    }
    assert!(offsets("partition:0,offset:1;partition:0,offset:2").unwrap_err().contains("0 is there twice"));
    assert!(range(&[("topic", "a;b"), specific]).unwrap_err().contains("needs exactly one topic"));
    assert!(
        range(&[("topic", "t"), specific]).unwrap_err().contains("needs the option 'scan.startup.specific-offsets'")
    );
    let bounded = range(&[("scan.bounded.mode", "timestamp"), ("scan.bounded.timestamp-millis", "7")]).unwrap();
    assert_eq!(bounded, Range { start: Positions::Group, stop: Some(Positions::Timestamp(7)) });
    assert!(range(&[("scan.startup.mode", "soon")]).unwrap_err().contains("expected one of earliest-offset"));
}

#[test]
fn splits_survive_and_damage_is_told() {
    let split = KafkaSplit { topic: "t".into(), partition: 3, next: 7, stop: Some(9) };
    assert_eq!(KafkaSplit::decode(&split.encode().unwrap()).unwrap(), split);
    assert!(!split.is_finished() && KafkaSplit { next: 9, ..split }.is_finished());
    for bytes in [&[][..], &[2], &[1], &[1, 200]] {
        assert_eq!(decode::<KafkaSplit>(bytes, "split").unwrap_err().code(), "bad-source-state");
    }
}
