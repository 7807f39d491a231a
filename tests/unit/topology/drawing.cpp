#include <leveret/topology/drawing.hpp>

#include <doctest/doctest.h>

#include <string>

namespace lv = leveret;

namespace {

using orders = lv::exchange<"orders", lv::topic, lv::durable, lv::alternate_exchange<"unknown">>;
using unknown = lv::exchange<"unknown", lv::fanout>;
using papers = lv::exchange<"papers", lv::headers>;

struct shop
    : lv::topology<orders, unknown, papers,
                   lv::queue<"invoices", lv::dead_letter_exchange<"">,
                             lv::dead_letter_routing_key<"failed">>,
                   lv::queue<"failed">, lv::queue<"lost", lv::dead_letter_exchange<"amq.fanout">>,
                   lv::queue<"say \"hi\"", lv::dead_letter_exchange<"orders">,
                             lv::dead_letter_routing_key<"dead.#1">>,
                   lv::bound<"invoices", orders, "order.*.paid">, lv::bound<"lost", unknown>,
                   lv::bound_exchange<papers, orders, "#">,
                   lv::bound_headers<"invoices", papers, lv::header<"format", "a<b&c">,
                                     lv::header<"pages", 3>, lv::header<"signed", true>,
                                     lv::header<"stamp">, lv::match_any>> {};

} // namespace

TEST_CASE("drawing: Mermaid")
{
    CHECK(lv::draw<shop>::mermaid() ==
          "flowchart LR\n"
          "    x0{{\"orders<br/>topic\"}}\n"
          "    x1{{\"unknown<br/>fanout\"}}\n"
          "    x2{{\"papers<br/>headers\"}}\n"
          "    q0[(\"invoices\")]\n"
          "    q1[(\"failed\")]\n"
          "    q2[(\"lost\")]\n"
          "    q3[(\"say #34;hi#34;\")]\n"
          "    x0 -->|\"order.*.paid\"| q0\n"
          "    x1 --> q2\n"
          "    x0 -->|\"#35;\"| x2\n"
          "    x2 -->|\"format=a#60;b#38;c, pages=3, signed=true, stamp, x-match=any\"| q0\n"
          "    x0 -.->|\"unrouted\"| x1\n"
          "    q0 -.->|\"dead letters\"| q1\n"
          "    amq_fanout{{\"amq.fanout<br/>fanout\"}}\n"
          "    q2 -.->|\"dead letters\"| amq_fanout\n"
          "    q3 -.->|\"dead letters as dead.#35;1\"| x0\n");
}

TEST_CASE("drawing: Graphviz")
{
    const std::string picture = lv::draw<shop>::graphviz();
    CHECK(picture.starts_with(
        "digraph topology {\n    rankdir=LR\n    x0 [shape=hexagon, label=\"orders\\ntopic\"]\n"));
    CHECK(picture.find("    q3 [shape=cylinder, label=\"say \\\"hi\\\"\"]\n") != std::string::npos);
    CHECK(picture.find("    x0 -> q0 [label=\"order.*.paid\"]\n") != std::string::npos);
    CHECK(picture.find("    x0 -> x1 [label=\"unrouted\", style=dashed]\n") != std::string::npos);
    CHECK(picture.find("    amq_fanout [shape=hexagon, label=\"amq.fanout\\nfanout\"]\n") !=
          std::string::npos);
    CHECK(picture.ends_with("}\n"));
}

TEST_CASE("drawing: of nothing")
{
    CHECK(lv::draw<lv::topology<>>::mermaid() == "flowchart LR\n");
    CHECK(lv::draw<lv::topology<>>::graphviz() == "digraph topology {\n    rankdir=LR\n}\n");
}
