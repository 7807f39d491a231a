// A broker that says yes to everything and keeps nothing, for tests about the client.
#pragma once

#include "support/scripted_server.hpp"

#include <leveret/wire/method.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::test {

class small_broker {
public:
    explicit small_broker(scripted_peer& client) : client_(client) {}

    /// How many messages a new consumer gets at once, and whether basic.get finds one.
    int deliveries = 0;
    bool has_message = false;
    /// Confirm-mode publishes are acknowledged.
    bool confirms = true;
    /// While this is set answers are kept back, and sent when it is not any more, by `release`.
    bool holds = false;
    /// Called for each method before it is answered.
    std::function<void(const owned_frame&)> on_method;
    /// Said once instead of the answer, if it is set.
    std::string instead;
    /// Every method that came, as text.
    std::vector<std::string> seen;

    /// From the protocol header until the client is gone.
    asio::awaitable<void> serve()
    {
        co_await client_.handshake(tune);
        for (;;) {
            const owned_frame f = co_await client_.next();
            if (f.view().type == wire::frame_type::method) {
                seen.push_back(f.text());
                if (on_method)
                    on_method(f);
            }
            std::string said = answer(f);
            kept_ += instead.empty() ? said : std::exchange(instead, {});
            if (!holds)
                co_await client_.send(std::exchange(kept_, {}));
        }
    }
    /// Deliveries that were sent and not given back or acknowledged.
    [[nodiscard]] std::size_t unsettled() const
    {
        std::size_t n = 0;
        for (const auto& [number, channel] : channels_)
            n += channel.open.size();
        return n;
    }
    asio::awaitable<void> release()
    {
        holds = false;
        return client_.send(std::exchange(kept_, {}));
    }
    [[nodiscard]] bool has_seen(std::string_view text) const
    {
        for (const std::string& s : seen)
            if (s.starts_with(text))
                return true;
        return false;
    }

    std::string tune = tune_frame();

private:
    struct channel_state {
        bool is_confirming = false;
        std::uint64_t publishes = 0;
        std::uint64_t deliveries = 0;
        std::uint64_t body_left = 0;
        std::set<std::uint64_t> open{}; // deliveries that are not settled
    };

    static void settle(channel_state& c, std::uint64_t tag, bool multiple)
    {
        c.open.erase(multiple ? c.open.begin() : c.open.lower_bound(tag), c.open.upper_bound(tag));
    }
    [[nodiscard]] static std::uint64_t deliver(channel_state& c)
    {
        return *c.open.insert(++c.deliveries).first;
    }

    template <class Request, class Answer>
    [[nodiscard]] static bool is(const owned_frame& f, std::string& out)
    {
        if (f.method() != Request::id)
            return false;
        out = frame(f.channel(), Answer{});
        return true;
    }
    [[nodiscard]] std::string confirmed(std::uint16_t number, channel_state& c)
    {
        if (!c.is_confirming || !confirms)
            return {};
        wire::basic::ack m;
        m.delivery_tag = ++c.publishes;
        return frame(number, m);
    }
    [[nodiscard]] std::string answer(const owned_frame& f)
    {
        channel_state& c = channels_[f.channel()];
        if (f.view().type == wire::frame_type::header) {
            wire::content_header h;
            static_cast<void>(wire::parse_content_header(f.view().payload, 64, h));
            c.body_left = h.body_size;
            return h.body_size == 0 ? confirmed(f.channel(), c) : std::string();
        }
        if (f.view().type == wire::frame_type::body) {
            c.body_left -= f.view().payload.size();
            return c.body_left == 0 ? confirmed(f.channel(), c) : std::string();
        }
        std::string out;
        if (f.method() == wire::channel::open::id || f.method() == wire::channel::close::id)
            c = {};
        if (f.method() == wire::basic::ack::id) {
            const auto m = f.as<wire::basic::ack>();
            settle(c, m.delivery_tag, m.multiple);
        }
        if (f.method() == wire::basic::nack::id) {
            const auto m = f.as<wire::basic::nack>();
            settle(c, m.delivery_tag, m.multiple);
        }
        if (is<wire::connection::close, wire::connection::close_ok>(f, out) ||
            is<wire::connection::update_secret, wire::connection::update_secret_ok>(f, out) ||
            is<wire::channel::open, wire::channel::open_ok>(f, out) ||
            is<wire::channel::close, wire::channel::close_ok>(f, out) ||
            is<wire::exchange::declare, wire::exchange::declare_ok>(f, out) ||
            is<wire::queue::bind, wire::queue::bind_ok>(f, out) ||
            is<wire::queue::purge, wire::queue::purge_ok>(f, out) ||
            is<wire::basic::qos, wire::basic::qos_ok>(f, out) ||
            is<wire::basic::recover, wire::basic::recover_ok>(f, out) ||
            is<wire::confirm::select, wire::confirm::select_ok>(f, out)) {
            c.is_confirming = c.is_confirming || f.method() == wire::confirm::select::id;
            return out;
        }
        if (f.method() == wire::queue::declare::id) {
            wire::queue::declare_ok m;
            m.queue = f.as<wire::queue::declare>().queue;
            return frame(f.channel(), m);
        }
        if (f.method() == wire::basic::consume::id) {
            wire::basic::consume_ok m;
            m.consumer_tag = f.as<wire::basic::consume>().consumer_tag;
            out = frame(f.channel(), m);
            for (int i = 0; i < deliveries; ++i)
                out += delivery_frames(f.channel(), m.consumer_tag, deliver(c), "message");
            return out;
        }
        if (f.method() == wire::basic::cancel::id) {
            wire::basic::cancel_ok m;
            m.consumer_tag = f.as<wire::basic::cancel>().consumer_tag;
            return frame(f.channel(), m);
        }
        if (f.method() == wire::basic::get::id)
            return has_message ? get_ok_frames(f.channel(), deliver(c), "message")
                               : frame(f.channel(), wire::basic::get_empty{});
        return {};
    }

    scripted_peer& client_;
    std::map<std::uint16_t, channel_state> channels_;
    std::string kept_;
};

} // namespace leveret::test
