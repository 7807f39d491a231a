#pragma once

#include "leveret/broker/broker.hpp"
#include "leveret/core/deadlines.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/io/context_holder.hpp"
#include "leveret/io/doorbell.hpp"
#include "leveret/io/environment.hpp"
#include "leveret/server/detail/link.hpp"
#include "leveret/server/server_options.hpp"
#include "leveret/server/users.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace leveret::broker::server_detail {

/// The options of a server, owned.
struct settings {
    explicit settings(const server_options& o) : connections(o.connections), access(o.access)
    {
        engine.properties = engine::server_properties("leveret", o.version, o.cluster_name);
        engine.channel_max = connections.channel_max;
        engine.frame_max = connections.frame_max;
        engine.heartbeat = connections.heartbeat;
        engine.handshake_timeout = connections.handshake_timeout;
        engine.handshake_bytes = connections.handshake_bytes;
        engine.refusal_delay = connections.refusal_delay;
        engine.close_timeout = connections.close_timeout;
        engine.limits.table_depth = connections.table_depth;
        engine.limits.message_size = o.limits.message_bytes;
        engine.limits.assembly_bytes = connections.unfinished_bytes;
    }
    connection_limits connections;
    access_control* access;
    engine::server_config engine;
    guest_access guest;
};

/// What a server is behind its handle: the broker (a basic_core of some list), the acceptor, all links, and one
/// timer for them and the broker. Its links hold it, and pending handlers hold both.
template <io::listening_environment Environment, class Core>
class server_state final : public local_counted, private settings, public home {
public:
    using link_type = link<Environment, Core>;

    server_state(Environment e, asio::any_io_executor executor, const server_options& o)
        : settings(o), home(broker_, settings::access == nullptr ? guest : *settings::access,
                            settings::engine, settings::connections, o.observer),
          broker_(broker_options(e, o)), environment_(std::move(e)), executor_(std::move(executor)),
          timer_(std::in_place, environment_, executor_)
    {
    }

    [[nodiscard]] instant now() const noexcept { return environment_.now(); }
    [[nodiscard]] Environment& environment() noexcept { return environment_; }
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] leveret::deadlines& deadlines() noexcept { return deadlines_; }
    [[nodiscard]] Core& core_broker() noexcept { return broker_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; } ///< of the first listener
    [[nodiscard]] std::size_t link_count() const noexcept { return links_.size(); }

    [[nodiscard]] std::error_code listen(std::string_view host, std::uint16_t port)
    {
        return listen(environment_, host, port, port_);
    }
    /// One more; its streams are of that environment.
    [[nodiscard]] std::error_code listen(Environment e, std::string_view host, std::uint16_t port, std::uint16_t& bound)
    {
        if (is_over_)
            return asio::error::operation_aborted;
        auto added = std::make_unique<listener>(*this, std::move(e));
        const std::error_code ec = added->acceptor.listen(host, port);
        if (ec)
            return ec;
        bound = added->acceptor.port();
        listeners_.push_back(std::move(added));
        tell_time();
        accept(*listeners_.back());
        return ec;
    }
    /// Before anything is asked of the broker.
    void tell_time() { broker_.tick(now()); }
    /// There may be an earlier deadline.
    void rearm()
    {
        if (!timer_)
            return;
        const instant a = broker_.next_deadline();
        const instant b = deadlines_.next();
        const instant next = a < b ? a : b;
        if (next >= timer_at_ || next == instant::never())
            return;
        timer_at_ = instant::never(); // if there is no memory for the wait
        timer_->wait_until(next, [h = io::context_holder<local_ptr<server_state>>(this)](
                                     std::error_code ec) mutable {
            const auto self = h.take();
            if (!ec)
                self->on_timer();
        });
        timer_at_ = next;
    }
    void remove(link_type& l) noexcept
    {
        if (l.place_ >= links_.size() || links_[l.place_].get() != &l)
            return;
        const auto from = from_.find(l.peer().host);
        if (--from->second == 0)
            from_.erase(from);
        local_ptr<link_type> last = std::move(links_.back());
        links_.pop_back();
        if (last.get() != &l) {
            last->place_ = l.place_;
            std::swap(links_[l.place_], last);
        }
        if (links_.empty())
            waits_.ring_all();
    }
    /// Those of a user are told why they end.
    void end_connections_of(std::string_view user, std::string_view why)
    {
        tell_time();
        const std::vector<local_ptr<link_type>> all = links_;
        for (const auto& l : all)
            if (l->user() == user) {
                l->shut_down(why);
                l->rearm();
            }
        rearm();
    }
    /// No more connections; those that are there are told why.
    void shut_down(std::string_view why)
    {
        stop_accepting();
        tell_time();
        const std::vector<local_ptr<link_type>> all = links_;
        for (const auto& l : all) {
            l->shut_down(why);
            l->rearm();
        }
        rearm();
    }
    void cut_all() noexcept
    {
        stop_accepting();
        while (!links_.empty()) {
            const local_ptr<link_type> l = links_.back();
            l->finish();
        }
        timer_.reset();
    }
    /// The execution context goes away.
    void abandoned() noexcept
    {
        waits_.destroy_all();
        cut_all();
    }
    [[nodiscard]] static asio::awaitable<void> wait_until_empty(local_ptr<server_state> self,
                                                                duration patience)
    {
        if (self->links_.empty())
            co_return;
        io::doorbell bell(self->waits_);
        const waiter patient(bell, self->deadlines_, self->now() + patience);
        self->rearm();
        co_await bell.wait();
    }

private:
    /// Rings when time is up.
    class waiter final : public deadline_node {
    public:
        waiter(io::doorbell& bell, leveret::deadlines& all, instant at) : bell_(bell), all_(all)
        {
            all.arm(*this, at);
        }
        ~waiter() { all_.disarm(*this); }
        void expired() noexcept override { bell_.ring(io::wake::timed_out); }

    private:
        io::doorbell& bell_;
        leveret::deadlines& all_;
    };
    /// An address that it listens on. When accepting failed, for want of descriptors for example, it goes on a little later.
    struct listener final : deadline_node {
        listener(server_state& s, Environment e)
            : owner(s), environment(std::move(e)), acceptor(environment, s.executor_)
        {
        }
        void expired() override { owner.accept(*this); }

        server_state& owner;
        Environment environment;
        typename Environment::acceptor acceptor;
    };
    static constexpr duration retry_delay = duration::milliseconds(100);

    [[nodiscard]] static leveret::broker::options broker_options(Environment& e,
                                                                 const server_options& o)
    {
        leveret::broker::options made;
        made.limits = o.limits;
        made.limits.sessions = o.connections.connections;
        made.limits.channels = o.connections.channel_max;
        made.seed = e.random();
        made.unix_time_at_origin = e.unix_time() - e.now().count_ns() / 1'000'000'000;
        return made;
    }
    void accept(listener& l)
    {
        auto fresh = std::make_unique<typename Environment::stream>(l.environment, executor_);
        auto& into = *fresh;
        // The handler has it: an acceptor that is closed may have accepted somebody just before.
        l.acceptor.async_accept(into, [h = io::context_holder<local_ptr<server_state>>(this), &l,
                                       s = std::move(fresh)](std::error_code ec) mutable {
            const auto self = h.take();
            if (!self->is_over_) // else the listener is gone
                self->on_accepted(l, ec, std::move(s));
        });
    }
    void on_accepted(listener& at, std::error_code ec, std::unique_ptr<typename Environment::stream> accepted)
    {
        if (ec) {
            deadlines_.arm(at, now() + retry_delay);
            return rearm();
        }
        io::peer_address peer = accepted->peer();
        std::size_t& from = from_[peer.host];
        if (links_.size() < connections.connections && from < connections.connections_per_address) {
            links_.push_back(local_ptr<link_type>(
                new link_type(local_ptr<server_state>(this), std::move(accepted), std::move(peer))));
            deadlines_.reserve(links_.capacity() + listeners_.size() + 4); // with the listeners, and who waits for the end
            ++from;
            links_.back()->place_ = links_.size() - 1;
            if (observer != nullptr)
                observer->connected(links_.back()->number, links_.back()->peer().host,
                                    links_.back()->peer().port);
            links_.back()->start();
            rearm();
        } else {
            if (observer != nullptr)
                observer->turned_away(peer.host);
            if (from == 0)
                from_.erase(peer.host);
        }
        accept(at);
    }
    void stop_accepting() noexcept
    {
        is_over_ = true;
        for (const auto& l : listeners_)
            deadlines_.disarm(*l);
        listeners_.clear();
    }
    void on_timer()
    {
        timer_at_ = instant::never();
        const instant t = now();
        broker_.tick(t);
        deadlines_.expire(t);
        rearm();
    }
    void schedule_flush() override
    {
        asio::post(executor_, [h = io::context_holder<local_ptr<server_state>>(this)]() mutable {
            const auto self = h.take();
            self->flush_all();
        });
    }

    Core broker_; // outlives its sessions
    Environment environment_;
    asio::any_io_executor executor_;
    bool is_over_ = false; // takes nobody any more
    std::vector<std::unique_ptr<listener>> listeners_; // all at once go, when no more connections are taken
    std::optional<typename Environment::timer> timer_;
    instant timer_at_ = instant::never();
    leveret::deadlines deadlines_; // of the links
    std::uint16_t port_ = 0;
    std::vector<local_ptr<link_type>> links_;
    std::map<std::string, std::size_t, std::less<>> from_; // how many connections an address has
    io::wait_list waits_;
};

} // namespace leveret::broker::server_detail
