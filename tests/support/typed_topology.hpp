// Cases of declare, verify and publish of a typed topology, for any transport: `connection` sees a broker that has
// nothing of `office` yet. tests/transport and tests/conformance run them.
#pragma once

#include "support/outcome.hpp"
#include <leveret/topology.hpp>
#include <leveret/transport/concept.hpp>

#include <asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leveret::test::typed {

namespace lv = leveret;
using stocks = lv::exchange<"typed.stocks", lv::topic, lv::durable>;
using jobs = lv::exchange<"typed.jobs", lv::direct, lv::auto_delete>;
using news = lv::exchange<"typed.news", lv::fanout>;
using papers = lv::exchange<"typed.papers", lv::headers, lv::alternate_exchange<"typed.rest">>;
using archive = lv::exchange<"typed.archive", lv::topic, lv::internal>;
using rest = lv::exchange<"typed.rest", lv::fanout, lv::unbound_ok>;
using open = lv::exchange<"typed.open", lv::direct, lv::unbound_ok>;
using desk = lv::queue<"typed.desk", lv::durable, lv::message_ttl<600'000>, lv::max_length<1000>,
                       lv::reject_publish, lv::dead_letter_exchange<"typed.rest">,
                       lv::dead_letter_routing_key<"late">>;
using vault = lv::queue<"typed.vault", lv::max_priority<5>, lv::argument<"x-queue-mode", "lazy">>;
using bin = lv::queue<"typed.bin">;

struct office
    : lv::topology<stocks, jobs, news, papers, archive, rest, open, desk, vault, bin,
                   lv::bound_queue<desk, stocks, "*.nyse">, lv::bound<"typed.desk", jobs, "print">,
                   lv::bound<"typed.desk", news>, lv::bound<"typed.vault", news>,
                   lv::bound_headers<"typed.desk", papers, lv::header<"format", "pdf">,
                                     lv::header<"pages", 3>>,
                   lv::bound_headers<"typed.vault", papers, lv::header<"secret">, lv::match_any>,
                   lv::bound_exchange<archive, stocks, "old.#">,
                   lv::bound<"typed.vault", archive, "#.gold">, lv::bound<"typed.bin", rest>,
                   lv::bound<"typed.bin", lv::amq_topic, "typed.#">> {};

/// Deletes what office has: a RabbitMQ outlives the case.
template <lv::channel Channel>
asio::awaitable<void> remove_office(Channel channel)
{
    const lv::topology_detail::topology_view t = lv::topology_detail::view_of<office>();
    for (const auto* q : t.queues)
        co_await channel.delete_queue(q->name, {.no_wait = true});
    for (const auto* e : t.exchanges)
        if (!e->is_predeclared)
            co_await channel.delete_exchange(e->name, {.no_wait = true});
    co_await channel.flow(true); // when this is answered all of it is done
}

/// Empties a queue and tells what was in it.
template <lv::channel Channel>
asio::awaitable<std::vector<std::string>> contents(Channel channel, std::string_view queue)
{
    std::vector<std::string> bodies;
    for (;;) {
        auto d = co_await channel.get(queue, {.no_ack = true});
        if (!d)
            break;
        bodies.emplace_back(d->body());
    }
    co_return bodies;
}
using bodies = std::vector<std::string>;
using kind = lv::topology_difference::kind;

template <lv::transport Connection>
asio::awaitable<void> declares_it_all(Connection& connection)
{
    auto channel = co_await connection.open_channel();
    co_await lv::declare<office>(channel);
    co_await lv::declare<office>(channel); // once more is no error
    const lv::topology_detail::topology_view t = lv::topology_detail::view_of<office>();
    for (const auto* e : t.exchanges)
        co_await channel.declare_exchange(e->name, e->type, {.passive = true});
    for (const auto* q : t.queues)
        co_await channel.declare_queue(q->name, {.passive = true});
    CHECK(channel.is_open());
    co_await remove_office(channel);
}

template <lv::transport Connection>
asio::awaitable<void> publishes_to_it(Connection& connection)
{
    auto channel = co_await connection.open_channel();
    co_await lv::declare<office>(channel);

    co_await lv::publish<office, stocks, "usd.nyse">(channel, "constant");
    co_await lv::publish<office, stocks, "old.solid.gold">(channel,
                                                           lv::message{"by way"}.persistent());
    const std::string word = "usd";
    co_await lv::publish<office, stocks>(channel, lv::key{word, "nyse"}, "words");
    co_await lv::publish<office, stocks>(channel, lv::key{word, "nasdaq"}, "nobody");
    co_await lv::publish<office, jobs, "print">(channel, "job");
    co_await lv::publish<office, jobs>(channel, std::string("print"), "job at run time",
                                       {.mandatory = true});
    co_await lv::publish<office, open>(channel, "whatever", "lost");
    co_await lv::publish<office, open, "whatever">(channel, "lost");
    co_await lv::publish<office, lv::default_exchange, "typed.bin">(channel, "by name");
    co_await lv::publish<office, lv::amq_topic, "typed.a.b">(channel, "predeclared");
    auto in_desk = co_await contents(channel, desk::name);
    CHECK(in_desk == bodies{"constant", "words", "job", "job at run time"});
    auto in_vault = co_await contents(channel, vault::name);
    CHECK(in_vault == bodies{"by way"});
    auto in_bin = co_await contents(channel, bin::name);
    CHECK(in_bin == bodies{"by name", "predeclared"});

    co_await lv::publish<office, news>(channel, "to all");
    const lv::table pdf{{"format", "pdf"}, {"pages", 3}};
    co_await lv::publish<office, papers>(channel, pdf, "a paper");
    const lv::table secret{{"secret", 1}};
    co_await lv::publish<office, papers>(channel, secret,
                                         lv::message{"a secret"}.header("format", "pdf"));
    const lv::table none;
    co_await lv::publish<office, papers>(channel, none, "neither");
    in_desk = co_await contents(channel, desk::name);
    CHECK(in_desk == bodies{"to all", "a paper"});
    in_vault = co_await contents(channel, vault::name);
    CHECK(in_vault == bodies{"to all", "a secret"});
    in_bin = co_await contents(channel, bin::name);
    CHECK(in_bin == bodies{"neither"}); // the alternate exchange's

    const lv::payload shared(std::string(40'000, 's')); // its bytes go to whoever gets them
    co_await lv::publish<office, stocks, "usd.nyse">(channel, shared);
    co_await lv::publish<office, stocks>(channel, lv::key{word, "nyse"}, shared);
    co_await lv::publish<office, papers>(channel, pdf, shared);
    const auto kept = co_await lv::publish_confirmed<office, jobs, "print">(channel, shared);
    CHECK(kept.is_confirmed());
    in_desk = co_await contents(channel, desk::name);
    CHECK(in_desk == bodies(4, std::string(shared.view())));
    in_vault = co_await contents(channel, vault::name);
    CHECK(in_vault == bodies{});

    const auto sure = co_await lv::publish_confirmed<office, stocks, "usd.nyse">(channel, "sure");
    CHECK(sure.is_confirmed());
    const auto unroutable =
        co_await lv::publish_confirmed<office, stocks>(channel, lv::key{"usd", "nasdaq"}, "no");
    CHECK(unroutable.is_unroutable());
    const auto to_all = co_await lv::publish_confirmed<office, news>(channel, lv::message{"all"});
    CHECK(to_all.is_confirmed());
    co_await remove_office(channel);
}

template <lv::transport Connection>
asio::awaitable<void> refuses_unbound_keys(Connection& connection)
{
    auto channel = co_await connection.open_channel();
    std::string words;
    try {
        static_cast<void>(
            lv::publish<office, jobs>(channel, std::string("pritn"), "body")); // throws when called
    } catch (const lv::usage_error& e) {
        words = e.what();
    }
    CHECK(words == "publish: no binding of the topology routes the key 'pritn' from the exchange "
                   "'typed.jobs'");
}

template <lv::transport Connection>
asio::awaitable<void> tells_who_was_refused(Connection& connection)
{
    auto first = co_await connection.open_channel();
    co_await first.declare_queue(desk::name,
                                 {.durable = true, .message_ttl = lv::duration::seconds(1)});
    auto channel = co_await connection.open_channel();
    const outcome refused = co_await outcome_of(lv::declare<office>(channel));
    CAPTURE(refused);
    CHECK(refused.what() == outcome::kind::channel);
    CHECK(refused.code() == lv::reply_code::precondition_failed);
    CHECK(refused.words().find("inequivalent arg 'x-message-ttl' for queue 'typed.desk'") !=
          std::string::npos);
    CHECK_FALSE(channel.is_open());

    // Others go on, and what came behind the refused one is not there.
    co_await first.declare_exchange(stocks::name, stocks::entry.type, {.passive = true});
    const outcome missing =
        co_await outcome_of(first.declare_queue(vault::name, {.passive = true}));
    CHECK(missing.code() == lv::reply_code::not_found);
    auto last = co_await connection.open_channel();
    co_await remove_office(last);
}

template <lv::transport Connection>
asio::awaitable<void> finds_differences(Connection& connection)
{
    const auto nothing_there = co_await lv::verify<office>(connection);
    CHECK(nothing_there.size() == 10); // amq.topic is there
    CHECK(nothing_there.front().what() == kind::missing_exchange);
    CHECK(nothing_there.front().name() == "typed.stocks");
    CHECK(nothing_there.front().text() == "NOT_FOUND - no exchange 'typed.stocks' in vhost '/'");
    CHECK(nothing_there.back().what() == kind::missing_queue);
    CHECK(nothing_there.back().text() == "NOT_FOUND - no queue 'typed.bin' in vhost '/'");
    auto channel = co_await connection.open_channel();
    const outcome missing =
        co_await outcome_of(channel.declare_queue(desk::name, {.passive = true}));
    CHECK(missing.code() == lv::reply_code::not_found); // it made nothing

    channel = co_await connection.open_channel();
    co_await lv::declare<office>(channel);
    const auto all_there = co_await lv::verify<office>(connection);
    CAPTURE(all_there);
    CHECK(all_there.empty());

    co_await channel.delete_exchange(news::name);
    co_await channel.declare_exchange(news::name, lv::exchange_type::topic);
    co_await channel.delete_queue(desk::name);
    co_await channel.declare_queue(desk::name,
                                   {.durable = true, .message_ttl = lv::duration::seconds(1)});
    co_await channel.delete_queue(vault::name);
    co_await channel.delete_queue(bin::name);
    co_await channel.declare_queue(bin::name, {.durable = true});
    const auto found = co_await lv::verify<office>(connection);
    REQUIRE(found.size() == 5);
    CHECK(found[0].what() == kind::missing_exchange); // auto_delete: its binding went with the desk
    CHECK(found[0].name() == "typed.jobs");
    CHECK(found[1] ==
          lv::topology_difference(
              kind::different_exchange, "typed.news",
              "PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'typed.news' in "
              "vhost '/': received 'fanout' but current is 'topic'"));
    CHECK(found[2] == lv::topology_difference(
                          kind::different_queue, "typed.desk",
                          "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue "
                          "'typed.desk' in vhost '/': received '600000' but current is '1000'"));
    CHECK(found[3].what() == kind::missing_queue);
    CHECK(found[3].name() == "typed.vault");
    CHECK(found[4].what() == kind::different_queue);
    CHECK(found[4].text().find("inequivalent arg 'durable'") != std::string::npos);
    CHECK(channel.is_open()); // it looks at the broker through channels of its own
    co_await remove_office(channel);
}

template <lv::transport Connection>
asio::awaitable<void> finds_locked_queues(Connection& connection, Connection& other)
{
    using topology = lv::topology<lv::queue<"typed.mine", lv::exclusive>>;
    auto channel = co_await other.open_channel();
    co_await lv::declare<topology>(channel);
    const auto own = co_await lv::verify<topology>(other);
    CHECK(own.empty());
    const auto foreign = co_await lv::verify<topology>(connection);
    REQUIRE(foreign.size() == 1);
    CHECK(foreign[0].what() == kind::locked_queue);
    CHECK(foreign[0].name() == "typed.mine");
    co_await channel.delete_queue("typed.mine");
}

} // namespace leveret::test::typed
