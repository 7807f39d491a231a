// What is asked of the broker and answered: at once where the broker is on the same executor, else by a call that
// goes there and comes back.
#pragma once

#include "leveret/transport/memory/detail/agent.hpp"
#include "leveret/transport/memory/detail/channel_core.hpp"

#include <asio/awaitable.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace leveret::memory::detail {

template <class Answer>
class call_of;

/// One who waits for the answer of a call, in the frame of its coroutine.
template <class Answer>
class waits_for {
public:
    explicit waits_for(connection_core& c) noexcept : bell(c.waits, c.deadlines) {}
    waits_for(const waits_for&) = delete;
    waits_for& operator=(const waits_for&) = delete;
    ~waits_for()
    {
        if (call != nullptr)
            call->waiter = nullptr;
    }
    /// The answer is there, and fine. In order with all that the broker told.
    virtual void told(Answer& answer) = 0;

    timed_bell bell;
    call_of<Answer>* call = nullptr;
    bool is_done = false;
    std::exception_ptr error;
    std::optional<leveret::broker::error> refusal; ///< of a call that belongs to no channel
};

/// A call whose answer is a leveret::broker::status or a result.
template <class Answer>
class call_of : public far_call {
public:
    waits_for<Answer>* waiter = nullptr; ///< null if nobody waits any more
    far_channel* channel = nullptr;      ///< null for one of the connection; not for the broker, where it may be gone
    agent_channel* there = nullptr;      ///< the channel at the broker, for the broker
    wire::method_number cause;

    void answered(far_end& e) override
    {
        if (answer && !*answer && channel != nullptr && channel->core != nullptr)
            channel->core->refused(answer->error(), cause);
        if (waiter != nullptr) {
            waiter->error = error;
            if (answer && *answer)
                waiter->told(*answer);
            else if (answer && channel == nullptr)
                waiter->refusal = answer->error();
            waiter->is_done = true;
            waiter->bell.bell.ring();
        }
        if (answer && (waiter == nullptr || !*answer))
            missed(e);
        if (waiter != nullptr)
            std::exchange(waiter, nullptr)->call = nullptr;
    }

protected:
    /// The answer came to nobody, or is an error: what it gave is given back.
    virtual void missed(far_end&) {}

    std::optional<Answer> answer; ///< none if the channel had ended before
    std::exception_ptr error;
};

struct nothing_missed {
    void operator()(far_end&, far_channel&, auto&) const noexcept {}
};

/// `ask(at_broker&)` of a channel.
template <class Answer, class Ask, class Missed>
class channel_call final : public call_of<Answer> {
public:
    channel_call(Ask ask, Missed missed) : ask_(std::move(ask)), missed_(std::move(missed)) {}

    void ask(agent& a) override
    {
        agent_channel& c = *this->there;
        if (c.ch != nullptr) {
            try {
                at_broker b = a.at(c);
                this->answer.emplace(ask_(b));
            } catch (...) {
                this->error = std::current_exception();
            }
            if (this->answer && !*this->answer)
                c.end(this->answer->error());
        }
        a.answer(this);
    }

private:
    void missed(far_end& e) override
    {
        if (*this->answer)
            missed_(e, *this->channel, *this->answer);
    }

    Ask ask_;
    Missed missed_;
};

/// `ask(agent&)` of a connection.
template <class Answer, class Ask, class Missed>
class connection_call final : public call_of<Answer> {
public:
    connection_call(Ask ask, Missed missed) : ask_(std::move(ask)), missed_(std::move(missed)) {}
    void ask(agent& a) override
    {
        try {
            this->answer.emplace(ask_(a));
        } catch (...) {
            this->error = std::current_exception();
        }
        a.answer(this);
    }

private:
    void missed(far_end& e) override { missed_(e, *this->answer); }

    Ask ask_;
    Missed missed_;
};

template <class Answer, class Told>
class tells final : public waits_for<Answer> {
public:
    tells(connection_core& c, Told& told) noexcept : waits_for<Answer>(c), told_(told) {}
    void told(Answer& answer) override { told_(answer); }

private:
    Told& told_;
};

/// Waits until a call was answered. `ended` has those who hear of the end of what was asked; `is_open` says whether
/// it has come.
template <class Answer, class IsOpen>
[[nodiscard]] asio::awaitable<void> await_answer(connection_core& connection, waits_for<Answer>& wait,
                                                 wait_queue& ended, IsOpen is_open, std::string_view operation,
                                                 instant deadline, std::uint16_t number)
{
    wait.bell.arm(deadline);
    connection.rearm();
    while (!wait.is_done && is_open()) {
        ended.enter(wait.bell);
        const io::wake why = co_await wait.bell.bell.wait();
        ended.leave(wait.bell);
        connection.has_waited();
        if (wait.is_done)
            break;
        if (why == io::wake::timed_out)
            throw_timeout(operation, "the broker, whose executor is another one", fate::unknown, number);
        if (why == io::wake::cancelled)
            throw_cancelled(operation, fate::unknown, number);
    }
    if (wait.error)
        std::rethrow_exception(wait.error);
}

/// Asks the broker `ask(at_broker&)` and makes the result of its answer, with `told(channel_core&, answer)`, which
/// is called in order with all that the broker tells of this channel. Throws what the broker has against it, which
/// has ended the channel. `missed(far_end&, far_channel&, answer)` is for an answer that nobody waits for any more.
template <class T, class Ask, class Told, class Missed = nothing_missed>
[[nodiscard]] asio::awaitable<T> asked(local_ptr<channel_core> c, wire::method_number cause, Ask ask, Told told,
                                       duration timeout, Missed missed = {}, bool may_yield = true)
{
    using answer_type = std::invoke_result_t<Ask&, at_broker&>;
    connection_core& connection = *c->connection;
    if (may_yield && connection.must_yield()) // not where the channel has been prepared for the answer
        co_await yield(connection.executor());
    if (connection.is_near()) {
        answer_type answer = c->run(cause, ask);
        co_return told(*c, answer);
    }
    c->check_open(cause);
    constexpr bool has_value = !std::is_void_v<T>;
    std::optional<std::conditional_t<has_value, T, char>> value;
    const auto keep = [&](answer_type& answer) {
        if constexpr (has_value) {
            value.emplace(told(*c, answer));
        } else {
            told(*c, answer);
            value.emplace();
        }
    };
    tells<answer_type, decltype(keep)> wait(connection, keep);
    wait.call = new channel_call<answer_type, Ask, Missed>(std::move(ask), std::move(missed));
    wait.call->waiter = &wait;
    wait.call->channel = c->far;
    wait.call->there = c->far->there;
    wait.call->cause = cause;
    connection.far->call(wait.call);
    const auto is_open = [&] { return c->is_open(); };
    co_await await_answer(connection, wait, c->over, is_open, wire::all_methods::name(cause),
                          connection.deadline_after(timeout), c->number);
    if (!wait.is_done)
        throw_failure(c->reason, wire::all_methods::name(cause), fate::unknown);
    if (!value)
        throw_failure(c->reason, wire::all_methods::name(cause), fate::refused);
    if constexpr (has_value)
        co_return std::move(*value);
}

/// Asks where nobody waits for the answer: what the broker has against it is told by later operations.
template <class Ask>
void tell_only(channel_core& c, wire::method_number cause, Ask ask)
{
    c.check_open(cause);
    if (c.connection->is_near()) {
        c.tell_near(cause, ask);
        return;
    }
    using answer_type = std::invoke_result_t<Ask&, at_broker&>;
    auto* call = new channel_call<answer_type, Ask, nothing_missed>(std::move(ask), {});
    call->channel = c.far;
    call->there = c.far->there;
    call->cause = cause;
    c.connection->far->call(call);
}

} // namespace leveret::memory::detail
