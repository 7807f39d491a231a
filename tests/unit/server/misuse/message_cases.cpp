// Publishing, modes, consuming, settling.
#include "unit/server/misuse/misuse.hpp"

namespace leveret::test {

namespace {

const std::string_view q = misused_queue;

void add_publishing(misuse_cases& all)
{
    all["publish: mandatory and unroutable"] = [](misuse& m) {
        m.open().publish({.routing_key = "mis.nosuch", .mandatory = true});
    };
    all["publish: mandatory and unroutable in confirm mode (return before ack)"] = [](misuse& m) {
        m.open().send(wire::confirm::select{});
        m.publish({.exchange = "amq.direct", .routing_key = "mis.nokey", .mandatory = true});
    };
    const auto with = [&](const char* name, const properties& p, bool declared, bool counted) {
        all[name] = [=](misuse& m) {
            m.open();
            if (declared)
                m.declare();
            m.publish({.routing_key = q}, p);
            if (counted)
                m.declare();
        };
    };
    with("publish: user_id of somebody else", properties().user_id("joe"), false, false);
    with("publish: user_id right", properties().user_id("guest"), false, false);
    with("publish: expiration not a number", properties().expiration("abc"), true, false);
    with("publish: expiration with trailing characters", properties().expiration("10x"), true,
         false);
    with("publish: CC header not an array", properties().headers({{"CC", "k"}}), true, false);
    all["publish: CC header routes"] = [](misuse& m) {
        field_array keys;
        keys.emplace_back(q);
        m.open()
            .declare()
            .publish({.routing_key = "mis.other"}, properties().headers({{"CC", keys}}))
            .declare();
    };
    all["publish: to a queue with reject-publish when full, confirm mode"] = [](misuse& m) {
        m.open()
            .declare({{"x-max-length", 1}, {"x-overflow", "reject-publish"}})
            .send(wire::confirm::select{});
        m.publish().publish();
    };
    all["publish: to a missing exchange in confirm mode"] = [](misuse& m) {
        m.open()
            .send(wire::confirm::select{})
            .publish({.exchange = "mis.nosuch", .routing_key = "k"});
    };
    all["mode: tx.select after confirm.select"] = [](misuse& m) {
        m.open().send(wire::confirm::select{}).send(wire::tx::select{});
    };
    all["mode: tx.rollback without tx.select"] = [](misuse& m) {
        m.open().send(wire::tx::rollback{});
    };
}

void add_consuming(misuse_cases& all)
{
    all["consume: missing queue"] = [](misuse& m) {
        m.open().send(wire::basic::consume{.queue = "mis.nosuch", .consumer_tag = "t"});
    };
    all["consume: consumer tag reused on the channel"] = [](misuse& m) {
        m.open().declare().send(wire::basic::consume{.queue = q, .consumer_tag = "t"});
        m.send(wire::basic::consume{.queue = q, .consumer_tag = "t"});
    };
    all["consume: empty tag gets a server-generated one"] = [](misuse& m) {
        m.open().declare().send(wire::basic::consume{.queue = q});
    };
    all["consume: second consumer on an exclusively consumed queue"] = [](misuse& m) {
        m.open().declare().send(
            wire::basic::consume{.queue = q, .consumer_tag = "t1", .exclusive = true});
        m.send(wire::basic::consume{.queue = q, .consumer_tag = "t2"});
    };
    all["consume: exclusive consumer while another consumes"] = [](misuse& m) {
        m.open().declare().send(wire::basic::consume{.queue = q, .consumer_tag = "t1"});
        m.send(wire::basic::consume{.queue = q, .consumer_tag = "t2", .exclusive = true});
    };
    all["consume: exclusive consumer on a single-active-consumer queue"] = [](misuse& m) {
        m.open().declare({{"x-single-active-consumer", true}});
        m.send(wire::basic::consume{.queue = q, .consumer_tag = "t", .exclusive = true});
    };
    const auto deleted = [&](const char* name, const table& properties) {
        all[name] = [=](misuse& m) {
            m.open(131072, properties)
                .declare()
                .send(wire::basic::consume{.queue = q, .consumer_tag = "t"});
            m.send(wire::queue::delete_{.queue = q});
        };
    };
    deleted("consume: queue deleted under the consumer (basic.cancel)", server_peer::capable());
    deleted("consume: queue deleted under the consumer, client lacks consumer_cancel_notify", {});
    all["consume: cancel of an unknown tag"] = [](misuse& m) {
        m.open().send(wire::basic::cancel{.consumer_tag = "mis.nosuch"});
    };
    all["consume: auto-delete queue goes with its last consumer"] = [](misuse& m) {
        m.open().declare({.queue = q, .auto_delete = true});
        m.send(wire::basic::consume{.queue = q, .consumer_tag = "t"});
        m.send(wire::basic::cancel{.consumer_tag = "t"}).declare({.queue = q, .passive = true});
    };
    all["get: empty queue"] = [](misuse& m) {
        m.open().declare().send(wire::basic::get{.queue = q});
    };
    all["ack: tag 0, not multiple"] = [](misuse& m) { m.open().send(wire::basic::ack{}); };
    all["ack: tag 0, multiple, nothing outstanding"] = [](misuse& m) {
        m.open().send(wire::basic::ack{.multiple = true});
    };
    all["ack: twice"] = [](misuse& m) {
        m.open().declare().publish().send(wire::basic::get{.queue = q});
        m.send(wire::basic::ack{.delivery_tag = 1}).send(wire::basic::ack{.delivery_tag = 1});
    };
}

} // namespace

void add_message_cases(misuse_cases& all)
{
    add_publishing(all);
    add_consuming(all);
}

} // namespace leveret::test
