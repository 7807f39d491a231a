// What clients do wrong, by the names of the cases in tests/data/rabbitmq-misuse.jsonl, where it is written what
// RabbitMQ 3.10.8 answered.
#pragma once

#include "support/server_peer.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace leveret::test {

inline constexpr std::string_view misused_queue = "mis.q";

/// One case at work: a server of its own and a client.
class misuse {
public:
    socketless_server server;
    server_peer client{server};
    std::string said; ///< what the server answered, as bytes

    /// The handshake and channel 1, whose answers do not count.
    misuse& open(std::uint32_t frame_max = 131072, const table& properties = server_peer::capable())
    {
        client.open(frame_max, 1, properties);
        return *this;
    }
    /// The handshake so far.
    misuse& up_to_start()
    {
        client.send(wire::protocol_header);
        static_cast<void>(client.take());
        return *this;
    }
    misuse& up_to_tune()
    {
        up_to_start();
        client.send(server_peer::start_ok(server_peer::capable()));
        static_cast<void>(client.take());
        return *this;
    }
    misuse& bytes(std::string_view b)
    {
        client.send(b);
        said += client.take();
        return *this;
    }
    template <wire::method Method>
    misuse& send(const Method& m, std::uint16_t channel = 1)
    {
        return bytes(frame(channel, m));
    }
    misuse& open_channel(std::uint16_t number)
    {
        client.send(frame(number, wire::channel::open{}));
        static_cast<void>(client.take());
        return *this;
    }
    misuse& declare(const table& arguments = {}, std::string_view name = misused_queue)
    {
        return declare({.queue = name}, arguments);
    }
    misuse& declare(wire::queue::declare m, const table& arguments = {})
    {
        const std::string encoded = wire::encode_table(arguments);
        m.arguments = {encoded};
        return send(m);
    }
    misuse& declare_exchange(wire::exchange::declare m, const table& arguments = {})
    {
        const std::string encoded = wire::encode_table(arguments);
        m.arguments = {encoded};
        return send(m);
    }
    misuse& publish(wire::basic::publish m = {.routing_key = misused_queue},
                    const properties& p = {}, std::string_view body = "x")
    {
        return bytes(frame(1, m) + content(1, body, p));
    }
    misuse& wait(duration d)
    {
        server.advance(d);
        client.tick();
        said += client.take();
        return *this;
    }
};

using misuse_cases = std::map<std::string, std::function<void(misuse&)>, std::less<>>;

void add_connection_cases(misuse_cases& all);
void add_queue_cases(misuse_cases& all);
void add_message_cases(misuse_cases& all);

} // namespace leveret::test
