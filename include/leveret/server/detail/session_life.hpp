// How a session begins, what it does with input, and how it ends: a part of session.hpp.
#pragma once

#include "leveret/server/detail/login.hpp"
#include "leveret/server/detail/session.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::broker::server_detail {

/// Stops when the client does not read what it makes us say: what is left is done when that is written.
inline void session::pump() noexcept
{
    engine.tell_time(home_.core.now());
    try {
        while (wants_input() || !engine.is_open()) {
            const engine::server_event* e = engine.next_event();
            if (e == nullptr)
                break;
            is_handling_ = true;
            dispatch(*e);
            is_handling_ = false;
            if (!cancelled_.empty())
                cancel_waiting();
        }
    } catch (const std::exception& e) { // out of memory
        is_handling_ = false;
        engine.input_ended(e.what());
        end();
    }
    if (!engine.output().empty() || engine.is_closed())
        touch();
}

inline void session::dispatch(const engine::server_event& e)
{
    using kind = engine::server_event::kind;
    auto* channel = static_cast<session_channel*>(e.channel);
    switch (e.what) {
    case kind::publish: return on_publish(*channel, e);
    case kind::method: return on_method(*channel, e);
    case kind::login: return on_login(e);
    case kind::opening: return on_opening(e);
    case kind::channel_opening: return on_channel_opening(e);
    case kind::channel_closing:
        channel->flush_confirms();
        channel->core.reset();
        engine.finish_channel(*channel);
        return drop(*channel);
    case kind::too_large:
        return refuse(*channel,
                      detail::precondition_failed("message size " + std::to_string(e.size) +
                                                  " is larger than configured max size " +
                                                  std::to_string(home_.config.limits.message_size)),
                      wire::basic::publish::id);
    case kind::closed: return end();
    }
}

inline void session::on_login(const engine::server_event& e)
{
    login l;
    if (e.mechanism == "EXTERNAL" && !certified_.empty()) {
        l.user = certified_;
        if (home_.access.can_log_in_by_certificate(l.user, from_loopback_)) {
            user_ = std::move(l.user);
            return engine.accept_login();
        }
    } else if (e.mechanism == "PLAIN") {
        l = read_plain(e.text);
    } else if (e.mechanism == "AMQPLAIN") {
        l = read_amqplain(e.text);
    }
    if (l.is_well_formed && home_.access.can_log_in(l.user, l.password, from_loopback_)) {
        user_ = std::move(l.user);
        return engine.accept_login();
    }
    if (home_.observer != nullptr)
        home_.observer->login_refused(number, l.user);
    // The same words for whatever is wrong. Source: RabbitMQ.
    engine.refuse_login("ACCESS_REFUSED - Login was refused using authentication mechanism " +
                        std::string(utf8_prefix(e.mechanism, 32)) +
                        ". For details see the broker logfile.");
}

inline void session::on_opening(const engine::server_event& e)
{
    const wire::method_number id = wire::connection::open::id;
    const std::string name(e.text);
    const auto refuse_it = [&](const error& why) { engine.close(why.code, why.text, id); };
    if (home_.core.find_virtual_host(name) != nullptr && !home_.access.can_enter(user_, name))
        return refuse_it(detail::failure(reply_code::not_allowed,
                                         "access to vhost " + detail::in_quotes(name) +
                                             " refused for user " + detail::in_quotes(user_)));
    auto opened = home_.core.open_session(name, user_, *this);
    if (!opened)
        return refuse_it(opened.error());
    session_ = std::move(*opened);
    rights_.assign(home_.access, user_, name);
    can_be_blocked_ = engine.client_can("connection.blocked");
    can_be_cancelled_ = engine.client_can("consumer_cancel_notify");
    engine.accept_open();
    if (home_.observer != nullptr)
        home_.observer->opened(number, user_, name);
}

inline void session::on_channel_opening(const engine::server_event& e)
{
    auto made = std::make_unique<session_channel>(*this);
    auto core = session_->open_channel(*made);
    if (!core)
        return engine.close(core.error().code, core.error().text, wire::channel::open::id);
    made->core = std::move(*core);
    channels_.push_back(std::move(made));
    engine.accept_channel(e.number, *channels_.back());
}

inline void session::on_method(session_channel& c, const engine::server_event& e)
{
    engine::detail::client_methods::visit(e.method, [&]<class Method>() { on(c, e.as<Method>()); });
}

inline void session::refuse(session_channel& c, const error& e, wire::method_number cause)
{
    c.flush_confirms();
    if (e.ends_connection)
        return engine.close(e.code, e.text, cause); // `closed` follows
    engine.close_channel(c, e.code, e.text, cause);
    drop(c);
}

/// The engine no longer knows the channel.
inline void session::drop(session_channel& c) noexcept
{
    c.core.reset();
    unconfirmed_.erase(&c);
    if (c.is_paused_)
        --paused_;
    std::erase_if(cancelled_, [&](const cancellation& x) { return x.channel == &c; });
    const auto at = std::find_if(channels_.begin(), channels_.end(),
                                 [&](const auto& p) { return p.get() == &c; });
    std::swap(*at, channels_.back());
    channels_.pop_back();
}

inline void session::end() noexcept
{
    session_.reset();
    cancelled_.clear();
    unconfirmed_.clear();
    paused_ = 0;
    is_blocked_ = false;
    if (engine.current_state() != engine::server_connection::state::closing)
        engine.input_ended({}); // so that it lets go of the channels
    channels_.clear();
    home_.forget(*this);
    is_touched_ = false;
}

inline void session::output_drained()
{
    if (paused_ != 0 && engine.is_open() &&
        engine.output().size() <= home_.limits.output_bytes / 2) {
        for (std::size_t n = channels_.size(); n > 0 && paused_ != 0; --n) {
            session_channel& c = *channels_[resume_at_++ % channels_.size()];
            if (!std::exchange(c.is_paused_, false))
                continue;
            --paused_;
            c.core->resume();
            if (engine.output().size() >= home_.limits.output_bytes)
                break; // full again; the others have their turn first then
        }
    }
    if (engine.has_input())
        pump();
}

inline void session::shut_down(std::string_view why)
{
    engine.tell_time(home_.core.now());
    engine.close(reply_code::connection_forced,
                 "CONNECTION_FORCED - broker forced connection closure with reason '" +
                     std::string(why) + "'");
    pump();
}

} // namespace leveret::broker::server_detail
