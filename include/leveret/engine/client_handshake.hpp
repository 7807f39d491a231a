// The handshake of engine::client: start, secure, tune, open. Included by client.hpp.
#pragma once

#include "leveret/engine/client.hpp"
#include "leveret/wire/table_codec.hpp"

#include <string>
#include <string_view>

namespace leveret::engine {

inline void client::start(instant now)
{
    now_ = now;
    state_ = state::starting;
    output_.append(wire::protocol_header);
    deadlines_.arm(connection_deadline_, now + config_.handshake_timeout);
}

inline bool client::handle_handshake(wire::method_number id, wire::reader& in)
{
    if (id == wire::connection::close::id)
        return handle_connection_method(id, in);
    if (state_ == state::starting && id == wire::connection::start::id)
        return on_start(in);
    if (state_ == state::authenticating && id == wire::connection::secure::id)
        return on_secure(in);
    if (state_ == state::authenticating && id == wire::connection::tune::id)
        return on_tune(in);
    if (state_ == state::opening && id == wire::connection::open_ok::id)
        return on_open_ok(in);
    return violation(protocol_errc::unexpected_method, "the server broke the order of the handshake",
                     id);
}

inline bool client::on_start(wire::reader& in)
{
    const auto start = wire::decode<wire::connection::start>(in);
    if (!in.ok())
        return bad_arguments(in, start.id, 0);
    if (start.version_major != 0 || start.version_minor != 9)
        return violation(protocol_errc::protocol_header,
                         "the server speaks AMQP " + std::to_string(start.version_major) + "-" +
                             std::to_string(start.version_minor) + ", not 0-9-1",
                         start.id);
    if (const auto e = wire::check_table(start.server_properties, limits_.table_depth);
        e != protocol_errc::none)
        return violation(e, "malformed server-properties", start.id);
    server_properties_ = wire::decode_table(start.server_properties);

    wire::connection::start_ok ok;
    ok.mechanism = ""; // the field's default is PLAIN: nothing chosen must not look like it
    std::string response;
    const auto choose = [&](std::string_view mechanism) {
        if (!offers(start.mechanisms.text, mechanism))
            return false;
        ok.mechanism = mechanism;
        return true;
    };
    if (config_.custom_mechanism != nullptr) {
        if (choose(config_.custom_mechanism->name()))
            response = config_.custom_mechanism->initial_response();
    } else {
        for (const std::string& mechanism : config_.mechanisms)
            if (choose(mechanism))
                break;
        if (ok.mechanism == "AMQPLAIN")
            response = amqplain_response(config_.user, config_.password);
        else if (ok.mechanism == "PLAIN")
            response = plain_response(config_.user, config_.password);
        else if (ok.mechanism != "EXTERNAL") // EXTERNAL: the identity is the certificate's
            ok.mechanism = "";
    }
    if (ok.mechanism.empty())
        return violation(protocol_errc::no_mechanism,
                         "no authentication mechanism in common; the server offers: " +
                             escaped(start.mechanisms.text),
                         start.id);
    const std::string properties = wire::encode_table(client_properties(config_));
    ok.client_properties = {properties};
    ok.response = std::string_view(response);
    ok.locale = config_.locale;
    write(0, ok);
    state_ = state::authenticating;
    return false;
}

inline bool client::on_secure(wire::reader& in)
{
    const auto secure = wire::decode<wire::connection::secure>(in);
    if (!in.ok())
        return bad_arguments(in, secure.id, 0);
    if (config_.custom_mechanism == nullptr)
        return violation(protocol_errc::no_mechanism,
                         "the server sent a challenge that the mechanism has no answer to", secure.id);
    if (++challenges_ > client_config::max_challenges)
        return violation(protocol_errc::too_many_challenges,
                         "the server did not end the authentication after " +
                             std::to_string(client_config::max_challenges) + " challenges",
                         secure.id);
    const std::string response = config_.custom_mechanism->respond(secure.challenge.text);
    wire::connection::secure_ok ok;
    ok.response = std::string_view(response);
    write(0, ok);
    return false;
}

inline bool client::on_tune(wire::reader& in)
{
    const auto tune = wire::decode<wire::connection::tune>(in);
    if (!in.ok())
        return bad_arguments(in, tune.id, 0);
    // Zero means "no limit" on either side (specification, connection.tune).
    const auto lower = [](std::uint32_t a, std::uint32_t b) { return a == 0 || (b != 0 && b < a) ? b : a; };
    if (tune.frame_max != 0 && tune.frame_max < wire::frame_min_size)
        return violation(protocol_errc::frame_max_too_small,
                         "the server offers a frame_max of " + std::to_string(tune.frame_max) +
                             "; every peer must accept 4096",
                         tune.id);
    wire::connection::tune_ok ok;
    ok.frame_max = lower(config_.frame_max, tune.frame_max);
    if (ok.frame_max == 0)
        ok.frame_max = 131072; // our own memory needs a bound
    ok.channel_max = static_cast<std::uint16_t>(lower(config_.channel_max, tune.channel_max));
    ok.heartbeat = tune.heartbeat;
    if (config_.heartbeat != client_config::heartbeat_from_server)
        ok.heartbeat = static_cast<std::uint16_t>(
            config_.heartbeat == 0 ? 0 : lower(config_.heartbeat, tune.heartbeat));
    limits_.frame_max = ok.frame_max;
    channel_max_ = ok.channel_max == 0 ? 65535 : ok.channel_max;
    heartbeat_seconds_ = ok.heartbeat;
    write(0, ok);
    wire::connection::open open;
    open.virtual_host = config_.vhost;
    write(0, open);
    state_ = state::opening;
    return false;
}

inline bool client::on_open_ok(wire::reader& in)
{
    const auto ok = wire::decode<wire::connection::open_ok>(in);
    if (!in.ok())
        return bad_arguments(in, ok.id, 0);
    state_ = state::open;
    deadlines_.disarm(connection_deadline_);
    if (heartbeat_seconds_ != 0)
        deadlines_.arm(heartbeat_, now_ + duration::milliseconds(heartbeat_seconds_ * 500));
    return emit(event::kind::opened);
}

} // namespace leveret::engine
