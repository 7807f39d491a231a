// Scripts for engine::server_connection: give what a client sends, let time pass, expect output and events, all
// without a socket or a broker.
//
//     SERVER_SCRIPT("a channel is opened and closed")
//     {
//         t.open();
//         t.give(frame(1, wire::channel::open{}));
//         t.expect("1 channel.open-ok\n");
//     }
//
// Each is run with the input as it is given, byte by byte, and in random pieces. Events are texts; logins and
// virtual hosts are accepted unless the script says otherwise.
#pragma once

#include "support/amqp_frames.hpp"
#include "support/server_peer.hpp"
#include <leveret/engine/server.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace leveret::test {

class server_script {
public:
    enum class pieces { whole, bytes, random };

    class channel final : public engine::server_channel {};

    explicit server_script(pieces p) : pieces_(p) { config.properties = {}; }

    engine::server_config config;
    bool accepts_logins = true;

    [[nodiscard]] engine::server_connection& connection()
    {
        if (!connection_)
            connection_ = std::make_unique<engine::server_connection>(config, now_);
        return *connection_;
    }
    /// The client sends this.
    void give(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const auto space = connection().prepare();
            std::size_t n = std::min(space.size, bytes.size());
            if (pieces_ == pieces::bytes)
                n = 1;
            else if (pieces_ == pieces::random)
                n = std::min(n, std::size_t{1} + random_() % (random_() % 2 == 0 ? 7 : 5000));
            std::memcpy(space.data, bytes.data(), n);
            bytes.remove_prefix(n);
            connection().received(n);
            pull();
        }
    }
    void end_input()
    {
        connection().input_ended("gone");
        pull();
    }
    /// The handshake.
    void open(std::uint32_t frame_max = 131072, std::uint16_t heartbeat = 0,
              std::uint16_t channel_max = 2047)
    {
        give(wire::protocol_header);
        give(server_peer::start_ok(server_peer::capable()));
        give(server_peer::tune_ok(channel_max, frame_max, heartbeat));
        give(frame(0, wire::connection::open{}));
        static_cast<void>(take());
        REQUIRE(connection().is_open());
        events_.clear();
    }
    void open_channel(std::uint16_t number = 1)
    {
        give(frame(number, wire::channel::open{}));
        static_cast<void>(take());
        events_.clear();
    }
    void pass(duration d, bool input_paused = false)
    {
        now_ = now_ + d;
        connection().tick(now_, input_paused);
        pull();
    }
    /// What was written since the last time, one line a frame.
    void expect(std::string_view frames) { CHECK(text_of_frames(take()) == frames); }
    /// What happened since the last time, one line an event.
    void expect_events(std::string_view lines) { CHECK(std::exchange(events_, {}) == lines); }
    [[nodiscard]] std::string take()
    {
        std::string bytes;
        connection().output().for_each_piece([&](const char* data, std::size_t n) {
            bytes.append(data, n);
            return true;
        });
        connection().output().consume(bytes.size());
        return bytes;
    }
    [[nodiscard]] channel* channel_of(std::uint16_t number)
    {
        for (channel& c : channels_)
            if (c.number() == number)
                return &c;
        return nullptr;
    }

private:
    void pull()
    {
        while (const engine::server_event* e = connection().next_event())
            handle(*e);
    }
    void handle(const engine::server_event& e)
    {
        using kind = engine::server_event::kind;
        const std::string at =
            e.channel == nullptr ? "" : std::to_string(e.channel->number()) + " ";
        switch (e.what) {
        case kind::login:
            events_ += "login " + std::string(e.mechanism) + " " + escaped(e.text) + "\n";
            return accepts_logins ? connection().accept_login() : connection().refuse_login("no");
        case kind::opening:
            events_ += "opening " + std::string(e.text) + "\n";
            return connection().accept_open();
        case kind::channel_opening:
            events_ += std::to_string(e.number) + " opening\n";
            return connection().accept_channel(e.number, channels_.emplace_back());
        case kind::channel_closing:
            events_ += at + "closing\n";
            return connection().finish_channel(*e.channel);
        case kind::publish:
            events_ +=
                at + "publish " + std::string(e.exchange) + "/" + std::string(e.routing_key) +
                (e.mandatory ? " mandatory" : "") + (e.immediate ? " immediate" : "") +
                (e.properties.flags() == 0 ? "" : " type=" + std::string(e.properties.type())) +
                " " +
                (e.body.size() > 40 ? std::to_string(e.body.size()) + " bytes"
                                    : std::string(e.body)) +
                "\n";
            if (!e.whole.empty())
                CHECK(e.whole.view() == e.body);
            return;
        case kind::too_large: events_ += at + "too large " + std::to_string(e.size) + "\n"; return;
        case kind::method:
            events_ += at + std::string(wire::all_methods::name(e.method)) + "\n";
            return;
        case kind::closed: events_ += "closed " + connection().reason() + "\n"; return;
        }
    }

    pieces pieces_;
    std::minstd_rand random_{7};
    instant now_ = instant(1'000'000'000);
    std::deque<channel> channels_;
    std::unique_ptr<engine::server_connection> connection_; // goes before its channels
    std::string events_;
};

inline void run_server_script(void (*body)(server_script&))
{
    for (const auto p : {server_script::pieces::whole, server_script::pieces::bytes,
                         server_script::pieces::random}) {
        CAPTURE(static_cast<int>(p));
        server_script t(p);
        body(t);
    }
}

} // namespace leveret::test

#define SERVER_SCRIPT_IMPL(function, ...)                                                          \
    static void function(::leveret::test::server_script& t);                                       \
    TEST_CASE(__VA_ARGS__) { ::leveret::test::run_server_script(&function); }                      \
    static void function(::leveret::test::server_script& t)
#define SERVER_SCRIPT(...)                                                                         \
    SERVER_SCRIPT_IMPL(DOCTEST_ANONYMOUS(leveret_server_script_), __VA_ARGS__)
