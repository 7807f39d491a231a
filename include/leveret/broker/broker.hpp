#pragma once

#include "leveret/broker/broker_core.hpp"
#include "leveret/broker/channel.hpp"
#include "leveret/broker/session.hpp"
#include "leveret/routing/consistent_hash.hpp"
#include "leveret/routing/direct.hpp"
#include "leveret/routing/fanout.hpp"
#include "leveret/routing/headers.hpp"
#include "leveret/routing/random.hpp"
#include "leveret/routing/topic.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::broker {

/// A broker whose exchange types are those of a list of routing policies, in one process and on one executor: a
/// value; two brokers share nothing. No thread safety, no clock (`tick`), no sockets: front ends open sessions.
///
///     leveret::broker::basic_core<policies<direct, topic, my_policy>> b;
///
/// The exchanges that AMQP predeclares are there as far as their types are.
template <class List>
class basic_core;

template <routing::policy... Policies>
    requires(sizeof...(Policies) > 0)
class basic_core<policies<Policies...>> final : public broker_core {
public:
    explicit basic_core(const options& o = {}) : broker_core(o, kinds) {}

private:
    static constexpr exchange_kind kinds[] = {policy_router<Policies>::kind()...};
};

/// AMQP's four exchange types, and two that RabbitMQ has as plugins.
using default_policies = policies<direct, fanout, topic, headers, consistent_hash, random>;

using broker = basic_core<default_policies>;

inline broker_core::broker_core(const options& o, std::span<const exchange_kind> kinds)
    : state_(o), kinds_(kinds)
{
    if (const status s = add_virtual_host("/"); !s)
        LEVERET_ASSERT(false && "a limit of no virtual hosts at all");
}

inline broker_core::~broker_core()
{
    LEVERET_ASSERT(sessions_.empty() && "sessions end before their broker");
    while (virtual_host* h = hosts_.any()) {
        hosts_.erase(h->hash_, h);
        delete h;
    }
}

inline status broker_core::add_virtual_host(std::string_view name)
{
    if (lookup(name) != nullptr)
        return {};
    if (hosts_.size() >= limits().virtual_hosts)
        return detail::failure(reply_code::not_allowed, "virtual host limit (" +
                                                            std::to_string(limits().virtual_hosts) +
                                                            ") is reached");
    auto fresh = std::make_unique<virtual_host>(state_, name, kinds_);
    hosts_.insert(fresh->hash_, fresh.get());
    static_cast<void>(fresh.release());
    return {};
}

inline status broker_core::delete_virtual_host(std::string_view name)
{
    virtual_host* h = lookup(name);
    if (h == nullptr)
        return {};
    if (h->sessions_ > 0)
        return detail::precondition_failed("vhost " + detail::in_quotes(name) + " in use");
    hosts_.erase(h->hash_, h);
    delete h;
    return {};
}

inline result<std::unique_ptr<session>>
broker_core::open_session(std::string_view virtual_host_name, std::string_view user,
                          session_listener& listener)
{
    virtual_host* h = lookup(virtual_host_name);
    if (h == nullptr)
        return detail::failure(reply_code::not_allowed,
                               "vhost " + std::string(virtual_host_name) + " not found");
    if (sessions_.size() >= limits().sessions)
        return detail::failure(reply_code::not_allowed, "connection limit (" +
                                                            std::to_string(limits().sessions) +
                                                            ") is reached");
    return std::unique_ptr<session>(new session(*this, *h, user, listener));
}

inline void broker_core::tick(instant now)
{
    const operation scope(*this);
    if (now > state_.now)
        state_.now = now;
    state_.timers.expire(state_.now);
}

inline void broker_core::route_dead_letters() noexcept
{
    while (!state_.dead_letters.empty()) {
        dead_letter d = state_.dead_letters.pop_front();
        try {
            d.from->home_.route(d);
        } catch (const std::bad_alloc&) { // one dead letter less
        }
        d.from->unpin();
    }
}

inline void broker_core::end_alarm() noexcept
{
    state_.end_alarm();
    for (session* s : sessions_)
        if (std::exchange(s->is_blocked_, false))
            s->listener_.unblocked();
}

inline result<std::unique_ptr<channel>> session::open_channel(channel_listener& listener)
{
    if (channels_.size() >= core_.limits().channels)
        return detail::failure(reply_code::not_allowed,
                               "number of channels opened (" + std::to_string(channels_.size()) +
                                   ") has reached the negotiated channel_max (" +
                                   std::to_string(core_.limits().channels) + ")");
    std::unique_ptr<channel> c(new channel(*this, listener));
    try {
        channels_.push_back(c.get());
    } catch (...) {
        c->is_ended_ = true;
        throw;
    }
    return c;
}

inline session::~session()
{
    const operation scope(core_);
    while (!channels_.empty())
        channels_.back()->end();
    while (queue* q = first())
        host_.remove(*q);
    core_.sessions_.erase(this);
    --host_.sessions_;
}

} // namespace leveret::broker
