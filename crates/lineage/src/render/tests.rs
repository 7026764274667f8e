use super::*;
use crate::event::tests::two_by_two;
use expect_test::expect;

#[test]
fn text_says_what_every_column_is_made_of() {
    let text = text(&two_by_two());
    let (_, body) = text.split_once('\n').unwrap();
    expect![[r#"

        kafka://k:1 o1  [c.d.out1]
          reads kafka://k:1 t1  [c.d.one]
          x INT
              <- one.a (IDENTITY)
          rows depend on one.b (FILTER)

        file /o2  [c.d.out2]
          reads kafka://k:1 t2  [c.d.two]
          y INT
              <- two.a (IDENTITY)
          rows depend on two.b (FILTER)
    "#]]
    .assert_eq(body);
}

#[test]
fn graphs_escape_names() {
    let mut lineage = two_by_two();
    lineage.inputs[0].dataset.columns[0].name = "\"<b>&\n".to_owned();
    for graph in [dot(&lineage), mermaid(&lineage)] {
        assert!(graph.contains("&quot;&lt;b&gt;&amp; "), "{graph}");
        assert!(!graph.contains("<b>&"), "{graph}");
    }
}

#[test]
fn indirect_edges_go_to_the_rows_of_the_table() {
    expect![[r#"
        flowchart LR
          subgraph i0["kafka://k:1 t1"]
            i0_t((rows))
            i0_c0["a"]
            i0_c1["b"]
          end
          subgraph i1["kafka://k:1 t2"]
            i1_t((rows))
            i1_c0["a"]
            i1_c1["b"]
          end
          subgraph o0["kafka://k:1 o1"]
            o0_t((rows))
            o0_c0["x"]
          end
          subgraph o1["file /o2"]
            o1_t((rows))
            o1_c0["y"]
          end
          i0_c0 -->|IDENTITY| o0_c0
          i0_c1 -.->|FILTER| o0_t
          i1_c0 -->|IDENTITY| o1_c0
          i1_c1 -.->|FILTER| o1_t
    "#]]
    .assert_eq(&mermaid(&two_by_two()));
}
