// What engine::server_connection says, and its deadlines. Included by server.hpp.
#pragma once

#include "leveret/core/utf8.hpp"
#include "leveret/engine/server.hpp"

#include <string>
#include <string_view>

namespace leveret::engine {

template <wire::method Method>
void server_connection::send(std::uint16_t number, const Method& m)
{
    const std::size_t size = wire::frame_size(m);
    wire::writer out(output_.append(size), size);
    wire::encode_frame(out, number, m);
    LEVERET_ASSERT(out.ok());
    sent_since_beat_ = true;
}

namespace detail {
/// What fits into a reply-text, which is a short string; RabbitMQ ends a longer one the same way.
[[nodiscard]] inline std::string reply_text(std::string_view text)
{
    if (text.size() <= wire::short_string_max)
        return std::string(text);
    return std::string(utf8_prefix(text, wire::short_string_max - 3)) + "...";
}
} // namespace detail

inline void server_connection::accept_channel(std::uint16_t number, server_channel& channel)
{
    slot* s = slot_of(number);
    LEVERET_ASSERT(s != nullptr && s->is == use::free && channel.number_ == 0);
    channel.number_ = number;
    *s = slot{&channel, use::open};
    ++open_channels_;
    send(number, wire::channel::open_ok{});
}

inline void server_connection::finish_channel(server_channel& channel)
{
    const std::uint16_t number = channel.number_;
    let_go(channel);
    slots_[number] = slot{};
    send(number, wire::channel::close_ok{});
}

inline void server_connection::close_channel(server_channel& channel, reply_code code,
                                             std::string_view text, wire::method_number cause)
{
    const std::uint16_t number = channel.number_;
    let_go(channel);
    slots_[number] = slot{nullptr, use::closing};
    const std::string short_text = detail::reply_text(text);
    wire::channel::close close;
    close.reply_code = static_cast<std::uint16_t>(code);
    close.reply_text = short_text;
    close.class_id = cause.class_id;
    close.method_id = cause.method;
    send(number, close);
}

inline void server_connection::close(reply_code code, std::string_view text,
                                     wire::method_number cause)
{
    if (state_ == state::closing || state_ == state::closed)
        return;
    if (state_ == state::header) { // there is nobody yet who would understand it
        state_ = state::closed;
        return end(text);
    }
    const std::string short_text = detail::reply_text(text);
    wire::connection::close close;
    close.reply_code = static_cast<std::uint16_t>(code);
    close.reply_text = short_text;
    close.class_id = cause.class_id;
    close.method_id = cause.method;
    send(0, close);
    state_ = state::closing;
    deadline_ = now_ + config_.close_timeout;
    beat_ = instant::never();
    end(std::to_string(close.reply_code) + " " + short_text);
}

/// From here on `closed` is what there is to tell.
inline void server_connection::end(std::string_view why)
{
    if (has_ended_)
        return;
    has_ended_ = true;
    if (reason_.empty())
        reason_ = why;
    forget_channels();
}

inline void server_connection::forget_channels() noexcept
{
    for (slot& s : slots_)
        if (s.channel != nullptr)
            let_go(*s.channel);
    slots_.clear();
}

inline void server_connection::let_go(server_channel& channel) noexcept
{
    if (shape_of_ == &channel)
        shape_of_ = nullptr;
    in_place_.erase(&channel);
    channel.assembly_.drop();
    count_held(channel);
    channel.number_ = 0;
    --open_channels_;
}

inline void server_connection::tick(instant now, bool input_paused)
{
    now_ = now;
    input_paused_ = input_paused;
    if (now >= deadline_)
        out_of_time();
    if (now >= beat_)
        beat();
}

inline void server_connection::out_of_time()
{
    deadline_ = instant::never();
    if (state_ == state::refusing && refuses_with_close_) {
        const std::string text = reason_;
        return close(reply_code::access_refused, text);
    }
    if (state_ != state::closing && state_ != state::refusing && reason_.empty())
        reason_ = "the handshake took longer than " +
                  std::to_string(config_.handshake_timeout.count_ms()) + " ms";
    state_ = state::closed;
    end({});
}

/// Twice in a heartbeat interval: a heartbeat if nothing else was sent, and a look at the client, which is gone
/// when four times nothing came. Beats are counted, not time, so that a program that was held up itself first
/// reads what has come meanwhile (specification 4.2.7).
inline void server_connection::beat()
{
    beat_ = now_ + duration::milliseconds(heartbeat_seconds_ * 500);
    if (!std::exchange(sent_since_beat_, false))
        output_.append(wire::heartbeat_frame);
    if (std::exchange(received_since_beat_, false) || input_paused_) {
        silent_beats_ = 0;
        return;
    }
    if (++silent_beats_ < 4)
        return;
    beat_ = instant::never();
    state_ = state::closed; // no use in telling a peer that is gone
    end("missed heartbeats from client, timeout: " + std::to_string(heartbeat_seconds_) + "s");
}

} // namespace leveret::engine
