#pragma once

#include "leveret/broker/error.hpp"
#include "leveret/broker/exchange.hpp"
#include "leveret/broker/listener.hpp"
#include "leveret/broker/state.hpp"
#include "leveret/broker/virtual_host.hpp"
#include "leveret/core/assert.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/hash_index.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/text_hash.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace leveret::broker {

class session;

/// A broker, but for its list of exchange types: see `basic_core`. It belongs to one executor, as does all
/// that comes from it, and it outlives its sessions.
class broker_core {
public:
    broker_core(const broker_core&) = delete;
    broker_core& operator=(const broker_core&) = delete;

    /// Adds a virtual host; one of this name that is there already is fine. Refuses beyond the limit, with
    /// 530. The virtual host "/" is there from the beginning.
    [[nodiscard]] status add_virtual_host(std::string_view name);
    /// Deletes a virtual host with all that is in it. Refuses with 406 while sessions use it.
    [[nodiscard]] status delete_virtual_host(std::string_view name);
    /// nullptr if there is none.
    [[nodiscard]] const virtual_host* find_virtual_host(std::string_view name) const noexcept
    {
        return lookup(name);
    }

    /// Begins a session: a connection as the broker sees it. Refuses with 530 if the virtual host is
    /// missing. The user's name is for checking user_id; who may do what is the front end's matter. The
    /// listener outlives the session.
    [[nodiscard]] result<std::unique_ptr<session>> open_session(std::string_view virtual_host_name,
                                                                std::string_view user,
                                                                session_listener& listener);

    /// The time of the last tick, which is what operations go by.
    [[nodiscard]] instant now() const noexcept { return state_.now; }
    /// When `tick` has something to do; `never` if nothing. May be earlier than that, never later.
    [[nodiscard]] instant next_deadline() const noexcept { return state_.timers.next(); }
    /// Tells the time, and does what is due: expired messages and queues. To be called before operations
    /// whenever time has passed (once for all that arrived together is enough), and at `next_deadline()`.
    /// Time does not run backwards.
    void tick(instant now);

    /// Bytes of the messages that it holds, with `message_overhead` each.
    [[nodiscard]] std::size_t memory() const noexcept { return state_.memory(); }
    /// Whether that was above the high-water mark and is not yet at the low one.
    [[nodiscard]] bool is_blocking() const noexcept { return state_.has_alarm(); }
    [[nodiscard]] const broker::limits& limits() const noexcept { return state_.limits(); }

protected:
    broker_core(const options& o, std::span<const exchange_kind> kinds);
    ~broker_core();

private:
    friend class channel;
    friend class operation;
    friend class session;

    [[nodiscard]] virtual_host* lookup(std::string_view n) const noexcept
    {
        return hosts_.find(text_hash(n), [n](const virtual_host& h) { return h.name() == n; });
    }
    void settle() noexcept
    {
        if (!state_.dead_letters.empty()) [[unlikely]]
            route_dead_letters();
        if (state_.alarm_is_over()) [[unlikely]]
            end_alarm();
    }
    void route_dead_letters() noexcept;
    void end_alarm() noexcept;

    shared_state state_;
    std::span<const exchange_kind> kinds_;
    hash_index<virtual_host> hosts_;
    pod_vector<session*> sessions_;
    bool is_busy_ = false;
};

/// Something that a front end asked for. What it left for later is done when it ends. There is one at a
/// time: listeners don't call back.
class operation {
public:
    explicit operation(broker_core& core) noexcept : core_(core)
    {
        LEVERET_ASSERT(!core.is_busy_ && "a listener must not call back into the broker");
        core.is_busy_ = true;
    }
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;
    ~operation()
    {
        core_.settle();
        core_.is_busy_ = false;
    }

private:
    broker_core& core_;
};

} // namespace leveret::broker
