// A whole server without a socket: sessions over a broker, with bytes in and bytes out, and a clock that tests
// advance.
//
//     test::socketless_server server;
//     test::server_peer client(server);
//     client.open();
//     client.send(frame(1, wire::queue::declare{.queue = "q"}));
//     CHECK(client.take_text() == "1 queue.declare-ok queue=q\n");
#pragma once

#include "support/amqp_frames.hpp"
#include <leveret/broker/broker.hpp>
#include <leveret/core/table.hpp>
#include <leveret/engine/sasl.hpp>
#include <leveret/server/detail/session.hpp>
#include <leveret/server/server_options.hpp>
#include <leveret/server/users.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace leveret::test {

namespace detail {
struct server_parts {
    broker::guest_access guest;
    broker::connection_limits limits;
    engine::server_config config;
    broker::broker core;

    explicit server_parts(const broker::options& o) : core(o)
    {
        config.properties = engine::server_properties("leveret", "3.10.0", "test");
    }
};
} // namespace detail

class socketless_server : private detail::server_parts, public broker::server_detail::home {
public:
    explicit socketless_server(const broker::options& o = {}, broker::access_control* who = nullptr)
        : server_parts(o), home(server_parts::core, who == nullptr ? guest : *who,
                                server_parts::config, server_parts::limits)
    {
        server_parts::core.tick(now_);
    }
    [[nodiscard]] broker::broker& broker() noexcept { return server_parts::core; }
    [[nodiscard]] engine::server_config& configuration() noexcept { return server_parts::config; }
    [[nodiscard]] broker::connection_limits& bounds() noexcept { return server_parts::limits; }
    [[nodiscard]] instant now() const noexcept { return now_; }
    /// Time passes; sessions are told by their peers.
    void advance(duration d)
    {
        now_ = now_ + d;
        server_parts::core.tick(now_);
        end_turn();
    }
    void end_turn()
    {
        while (is_scheduled_) {
            is_scheduled_ = false;
            flush_all();
        }
    }

private:
    void schedule_flush() override { is_scheduled_ = true; }

    instant now_ = instant(1'000'000'000);
    bool is_scheduled_ = false;
};

/// A client's bytes to such a server, and what the server says to it.
class server_peer final : public broker::server_detail::session {
public:
    explicit server_peer(socketless_server& s, bool from_loopback = true)
        : session(s, from_loopback, s.now()), server_(s)
    {
    }
    ~server_peer() { end(); }

    /// The client sends this and then all that was due is done.
    void send(std::string_view bytes)
    {
        while (!bytes.empty() && !engine.is_closed()) {
            const auto space = engine.prepare();
            const std::size_t n = std::min(space.size, bytes.size());
            std::memcpy(space.data, bytes.data(), n);
            bytes.remove_prefix(n);
            engine.received(n);
            pump();
            server_.end_turn();
        }
    }
    /// The client's end of the socket is closed.
    void hang_up()
    {
        engine.input_ended("gone");
        pump();
        server_.end_turn();
    }
    void tick()
    {
        engine.tick(server_.now(), false);
        pump();
        server_.end_turn();
    }
    /// What the server wrote since the last time. With `reads` off it stays in the server.
    [[nodiscard]] std::string take()
    {
        server_.end_turn();
        return std::exchange(output_, {});
    }
    [[nodiscard]] std::string take_text() { return text_of_frames(take()); }

    /// Whether the client reads what the server writes.
    void reads(bool on)
    {
        reads_ = on;
        if (on)
            flush();
    }

    [[nodiscard]] static std::string start_ok(const table& properties,
                                              std::string_view mechanism = "PLAIN",
                                              std::string_view response = {"\0guest\0guest", 12})
    {
        const std::string encoded = wire::encode_table(properties);
        wire::connection::start_ok m;
        m.client_properties = {encoded};
        m.mechanism = mechanism;
        m.response = response;
        return frame(0, m);
    }
    [[nodiscard]] static table capable()
    {
        table capabilities;
        for (const char* name : {"authentication_failure_close", "basic.nack", "connection.blocked",
                                 "consumer_cancel_notify", "publisher_confirms"})
            capabilities.append(name, true);
        table t;
        t.append("capabilities", std::move(capabilities));
        return t;
    }
    [[nodiscard]] static std::string tune_ok(std::uint16_t channel_max = 2047,
                                             std::uint32_t frame_max = 131072,
                                             std::uint16_t heartbeat = 0)
    {
        wire::connection::tune_ok m;
        m.channel_max = channel_max;
        m.frame_max = frame_max;
        m.heartbeat = heartbeat;
        return frame(0, m);
    }
    /// The whole handshake, and `channels` channels.
    void open(std::uint32_t frame_max = 131072, std::uint16_t channels = 1,
              const table& properties = capable(), std::string_view user = "guest",
              std::string_view virtual_host = "/")
    {
        const std::string response = engine::plain_response(user, user);
        send(wire::protocol_header);
        send(start_ok(properties, "PLAIN", response));
        send(tune_ok(2047, frame_max));
        wire::connection::open m;
        m.virtual_host = virtual_host;
        send(frame(0, m));
        for (std::uint16_t i = 1; i <= channels; ++i)
            send(frame(i, wire::channel::open{}));
        static_cast<void>(take());
    }

private:
    void flush() noexcept override
    {
        if (!reads_)
            return;
        while (!engine.output().empty()) {
            std::size_t n = 0;
            engine.output().for_each_piece([&](const char* data, std::size_t size) {
                output_.append(data, size);
                n += size;
                return true;
            });
            engine.output().consume(n);
            output_drained();
        }
    }

    socketless_server& server_;
    std::string output_;
    bool reads_ = true;
};

} // namespace leveret::test
