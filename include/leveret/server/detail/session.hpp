#pragma once

#include "leveret/broker/broker_core.hpp"
#include "leveret/broker/session.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/engine/server.hpp"
#include "leveret/server/access.hpp"
#include "leveret/server/detail/rights.hpp"
#include "leveret/server/detail/session_channel.hpp"
#include "leveret/server/server_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leveret::broker::server_detail {

class session;

/// What the sessions of a server share.
class home {
public:
    home(broker_core& c, access_control& a, const engine::server_config& e,
         const connection_limits& l, server_observer* o = nullptr)
        : core(c), access(a), config(e), limits(l), observer(o)
    {
    }
    home(const home&) = delete;
    home& operator=(const home&) = delete;

    broker_core& core;
    access_control& access;
    const engine::server_config& config;
    const connection_limits& limits;
    server_observer* const observer; ///< null: nobody

    [[nodiscard]] std::uint64_t next_number() noexcept { return ++connections_; }
    /// The session has something to write: `flush_all` is due at the end of this turn of the event loop.
    void touch(session& s);
    /// Writes what the turn made, all output of a connection at once.
    void flush_all();
    void forget(session& s) noexcept
    {
        touched_.erase(&s);
        flushing_.erase(&s);
    }

protected:
    ~home() = default;

    virtual void schedule_flush() = 0;

private:
    std::uint64_t connections_ = 0; ///< that there ever were
    pod_vector<session*> touched_;
    pod_vector<session*> flushing_;
};

/// A connection to the server without its socket: the engine's end of the protocol, and a session and channels
/// of the broker. Whoever owns it feeds the engine, calls `pump`, and writes the engine's output when `flush` is
/// called.
///
/// What a client asks for is done in the functions named `on`, one for each method (methods_*.hpp); what the
/// broker tells comes to the channels (session_channel.hpp), which write it into the output at once.
class session : public local_counted, private session_listener {
public:
    session(home& h, bool from_loopback, instant now)
        : engine(h.config, now), number(h.next_number()), home_(h), from_loopback_(from_loopback)
    {
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    engine::server_connection engine;
    const std::uint64_t number; ///< for observers

    [[nodiscard]] const std::string& user() const noexcept { return user_; }
    /// Before any input: the client's certificate names it so, and it may log in by that.
    void identify(std::string name)
    {
        certified_ = std::move(name);
        if (!certified_.empty())
            engine.offer_external();
    }
    [[nodiscard]] std::size_t channel_count() const noexcept { return channels_.size(); }
    /// Whether the client may be read: it is not when it does not read what it makes us say, nor when it
    /// publishes while memory is low.
    [[nodiscard]] bool wants_input() const noexcept
    {
        return engine.output().size() < 2 * home_.limits.output_bytes &&
               (!is_blocked_ || !engine.is_open());
    }
    /// Does what the client asked for, as far as it is here.
    void pump() noexcept;
    /// Whether something waits until more output is written.
    [[nodiscard]] bool is_held_up() const noexcept { return paused_ != 0 || engine.has_input(); }
    /// Some output is written: consumers that waited for that may go on, and input that was left.
    void output_drained();
    /// The server ends: the client is told with 320.
    void shut_down(std::string_view why);
    /// To the output, what waited for the end of the turn.
    void flush_confirms();

protected:
    ~session() = default; // `end` was called by whoever keeps the home alive, which may be gone by now
    /// The engine has output to be written.
    virtual void flush() noexcept = 0;
    /// Ends all that the session has in the broker.
    void end() noexcept;

private:
    friend class home;
    friend class session_channel;

    void dispatch(const engine::server_event& e);
    void on_login(const engine::server_event& e);
    void on_opening(const engine::server_event& e);
    void on_channel_opening(const engine::server_event& e);
    void on_method(session_channel& c, const engine::server_event& e);
    void on_publish(session_channel& c, const engine::server_event& e);

    // One for each method: methods_basic.hpp, methods_queue.hpp, methods_exchange.hpp, methods_channel.hpp.
    void on(session_channel& c, const wire::basic::qos& m);
    void on(session_channel& c, const wire::basic::consume& m);
    void on(session_channel& c, const wire::basic::cancel& m);
    void on(session_channel& c, const wire::basic::get& m);
    void on(session_channel& c, const wire::basic::ack& m);
    void on(session_channel& c, const wire::basic::nack& m);
    void on(session_channel& c, const wire::basic::reject& m);
    void on(session_channel& c, const wire::basic::recover& m);
    void on(session_channel& c, const wire::basic::recover_async& m);
    void on(session_channel& c, const wire::queue::declare& m);
    void on(session_channel& c, const wire::queue::bind& m);
    void on(session_channel& c, const wire::queue::unbind& m);
    void on(session_channel& c, const wire::queue::purge& m);
    void on(session_channel& c, const wire::queue::delete_& m);
    void on(session_channel& c, const wire::exchange::declare& m);
    void on(session_channel& c, const wire::exchange::delete_& m);
    void on(session_channel& c, const wire::exchange::bind& m);
    void on(session_channel& c, const wire::exchange::unbind& m);
    void on(session_channel& c, const wire::tx::select& m);
    void on(session_channel& c, const wire::tx::commit& m);
    void on(session_channel& c, const wire::tx::rollback& m);
    void on(session_channel& c, const wire::confirm::select& m);
    void on(session_channel& c, const wire::channel::flow& m);
    void on(session_channel& c, const wire::access::request& m);

    /// An answer on a channel, behind the confirmations that were due before it.
    template <wire::method Method>
    void answer(session_channel& c, const Method& m)
    {
        c.flush_confirms();
        engine.send(c.number(), m);
        touch();
    }
    /// What the broker, or a lack of rights, has against a method ends the channel or the connection.
    void refuse(session_channel& c, const error& e, wire::method_number cause);
    /// True if the outcome is fine; else the client is told.
    [[nodiscard]] bool is_fine(session_channel& c, const status& s, wire::method_number cause)
    {
        if (s) [[likely]]
            return true;
        refuse(c, s.error(), cause);
        return false;
    }
    /// The same for rights.
    template <wire::method Method>
    [[nodiscard]] bool may(session_channel& c, const Method&, permission p, kind_of_name kind,
                           std::string_view name)
    {
        if (rights_.allow(p, name)) [[likely]]
            return true;
        refuse(c, rights_.refusal(kind, name), Method::id);
        return false;
    }
    void drop(session_channel& c) noexcept;
    void touch()
    {
        if (!is_touched_) {
            is_touched_ = true;
            home_.touch(*this);
        }
    }
    void cancel_waiting();
    void pause_all() noexcept;

    void blocked(std::string_view reason) noexcept override;
    void unblocked() noexcept override;

    home& home_;
    bool from_loopback_;
    bool is_touched_ = false;
    bool is_blocked_ = false;
    bool is_handling_ = false; // a method: what it cancels is told behind its answer
    bool told_blocked_ = false;
    bool can_be_blocked_ = false;
    bool can_be_cancelled_ = false;
    std::string user_;
    std::string certified_; ///< by a certificate; empty without one
    rights rights_;
    std::unique_ptr<leveret::broker::session> session_;
    std::vector<std::unique_ptr<session_channel>> channels_;
    pod_vector<session_channel*> unconfirmed_; // with confirmations to tell
    std::size_t paused_ = 0;                   // channels that the output holds up
    std::size_t resume_at_ = 0;                // whose turn it is then
    struct cancellation {
        session_channel* channel;
        std::string tag;
    };
    std::vector<cancellation> cancelled_;
};

} // namespace leveret::broker::server_detail

#include "leveret/server/detail/methods_basic.hpp"
#include "leveret/server/detail/methods_channel.hpp"
#include "leveret/server/detail/methods_exchange.hpp"
#include "leveret/server/detail/methods_queue.hpp"
#include "leveret/server/detail/session_life.hpp"
#include "leveret/server/detail/session_listening.hpp"
