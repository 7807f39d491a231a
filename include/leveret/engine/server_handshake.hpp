// The handshake of engine::server_connection: header, start, tune, open. Included by server.hpp.
#pragma once

#include "leveret/engine/octets_text.hpp"
#include "leveret/engine/server.hpp"
#include "leveret/wire/table_codec.hpp"

#include <string>
#include <string_view>

namespace leveret::engine {

/// The first eight bytes. Anything else than ours is seen at the first byte that differs, and answered with
/// ours (specification 2.2.4): old versions of AMQP, HTTP, TLS.
inline bool server_connection::take_header()
{
    const std::string_view in = input_.unread();
    const std::size_t n =
        in.size() < wire::protocol_header.size() ? in.size() : wire::protocol_header.size();
    if (in.substr(0, n) != wire::protocol_header.substr(0, n)) {
        output_.append(wire::protocol_header);
        state_ = state::closed;
        end("the client does not speak AMQP 0-9-1: it began with " + octets_text(in.substr(0, n)));
        return false;
    }
    if (n < wire::protocol_header.size()) {
        needed_ = wire::protocol_header.size();
        return false;
    }
    input_.consume(n);
    handshake_bytes_ = n;
    needed_ = wire::frame_header_size;
    state_ = state::starting;
    wire::connection::start start;
    start.server_properties = {config_.properties};
    const std::string mechanisms = config_.mechanisms + (offers_external_ ? " EXTERNAL" : "");
    start.mechanisms = std::string_view(mechanisms);
    send(0, start);
    return true;
}

inline bool server_connection::handle_handshake(const wire::frame_view& frame)
{
    if (frame.type == wire::frame_type::heartbeat && frame.channel == 0 && frame.payload.empty())
        return false;
    if (frame.type != wire::frame_type::method || frame.channel != 0 || frame.payload.size() < 4)
        return unexpected(frame);
    wire::reader in(frame.payload);
    const std::uint16_t class_id = in.u16();
    const wire::method_number id{class_id, in.u16()};
    if (id == wire::connection::close::id || id == wire::connection::close_ok::id)
        return handle_connection_method(id, in);
    if (state_ == state::starting && id == wire::connection::start_ok::id)
        return on_start_ok(in);
    if (state_ == state::tuning && id == wire::connection::tune_ok::id)
        return on_tune_ok(in);
    if (state_ == state::opening && id == wire::connection::open::id)
        return on_open(in);
    static constexpr const char* names[] = {"starting", "starting", "securing", "securing",
                                            "tuning",   "opening",  "opening"};
    return violation(reply_code::channel_error,
                     std::string("unexpected method in connection state ") +
                         names[static_cast<std::size_t>(state_)],
                     id);
}

inline bool server_connection::on_start_ok(wire::reader& in)
{
    wire::connection::start_ok ok;
    if (!is_well_formed(in, ok))
        return false;
    {
        // Nothing else of it is kept: a table takes many times the memory of its bytes, and whoever connects may send one.
        const table properties = wire::decode_table(ok.client_properties);
        const table* announced = properties.find_as<table>("capabilities");
        for (std::size_t i = 0; announced != nullptr && i < std::size(known_capabilities); ++i)
            if (const bool* b = announced->find_as<bool>(known_capabilities[i]); b != nullptr && *b)
                capabilities_ |= 1U << i;
    }
    state_ = state::authenticating;
    event_.mechanism = ok.mechanism;
    event_.text = ok.response.text;
    return emit(server_event::kind::login);
}

inline void server_connection::accept_login()
{
    LEVERET_ASSERT(state_ == state::authenticating);
    state_ = state::tuning;
    wire::connection::tune tune;
    tune.channel_max = config_.channel_max;
    tune.frame_max = config_.frame_max;
    tune.heartbeat = config_.heartbeat;
    send(0, tune);
}

/// The delay is against those who try many passwords. Source: RabbitMQ.
inline void server_connection::refuse_login(std::string_view text)
{
    LEVERET_ASSERT(state_ == state::authenticating);
    state_ = state::refusing;
    reason_ = text;
    refuses_with_close_ = client_can("authentication_failure_close");
    deadline_ = now_ + config_.refusal_delay;
}

/// A client may lower what it was offered, and choose any heartbeat. Zero, "no limit", is more than was offered.
inline bool server_connection::on_tune_ok(wire::reader& in)
{
    wire::connection::tune_ok ok;
    if (!is_well_formed(in, ok))
        return false;
    const auto refuse = [&](std::string_view what, std::uint32_t asked, std::uint32_t offered) {
        return violation(reply_code::not_allowed,
                         "negotiated " + std::string(what) + " = " + std::to_string(asked) +
                             (asked != 0 && asked < offered
                                  ? " is lower than the minimum allowed value ("
                                  : " is higher than the maximum allowed value (") +
                             std::to_string(offered) + ")",
                         ok.id);
    };
    if (config_.frame_max != 0 && (ok.frame_max == 0 || ok.frame_max > config_.frame_max))
        return refuse("frame_max", ok.frame_max, config_.frame_max);
    if (ok.frame_max != 0 && ok.frame_max < wire::frame_min_size)
        return refuse("frame_max", ok.frame_max, wire::frame_min_size);
    if (config_.channel_max != 0 && (ok.channel_max == 0 || ok.channel_max > config_.channel_max))
        return refuse("channel_max", ok.channel_max, config_.channel_max);
    limits_.frame_max = ok.frame_max;
    channel_max_ = ok.channel_max;
    heartbeat_seconds_ = ok.heartbeat;
    state_ = state::opening;
    return false;
}

inline bool server_connection::on_open(wire::reader& in)
{
    wire::connection::open open;
    if (!is_well_formed(in, open))
        return false;
    state_ = state::entering;
    event_.text = open.virtual_host;
    return emit(server_event::kind::opening);
}

inline void server_connection::accept_open()
{
    LEVERET_ASSERT(state_ == state::entering);
    state_ = state::open;
    deadline_ = instant::never();
    if (heartbeat_seconds_ != 0)
        beat_ = now_ + duration::milliseconds(heartbeat_seconds_ * 500);
    send(0, wire::connection::open_ok{});
}

} // namespace leveret::engine
