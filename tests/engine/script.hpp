// Scripts for engine::client: give input, let time pass, expect output and events, all without a socket.
//
//     ENGINE_SCRIPT("a queue is declared")
//     {
//         auto& channel = t.open_channel();
//         auto& op = t.request(channel, wire::queue::declare{.queue = "q"}, wire::queue::declare_ok::id);
//         t.expect({"1 queue.declare queue=q"});
//         t.give(frame(1, wire::queue::declare_ok{.queue = "q"}));
//         CHECK(op.is_done());
//     }
//
// Each is run as it stands, then with the input byte by byte and in random pieces, and then once for
// every step and every way to fail there: the input ends, the server falls silent, it sends garbage, we
// close. After each failure everything that waited must have been told and nothing may be left behind.
#pragma once

#include "support/amqp_frames.hpp"

#include <leveret/engine/client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leveret::test {

class test_operation final : public engine::operation {
public:
    int times_finished = 0;

    [[nodiscard]] bool is_done() const noexcept { return state() == status::done; }
    [[nodiscard]] bool has_failed() const noexcept { return state() == status::failed; }
    [[nodiscard]] bool has_timed_out() const noexcept { return state() == status::timed_out; }

private:
    void finished() noexcept override { ++times_finished; }
};

class test_channel final : public engine::client_channel {
public:
    /// Whether deliveries are left open as with acknowledgement, or settled by coming.
    bool needs_settling = true;
};

/// How a run of a script differs from the script.
struct script_mode {
    enum class input { whole, bytes, random };
    enum class fault { none, end_of_input, silence, garbage, own_close };
    input how = input::whole;
    unsigned seed = 0;
    fault what = fault::none;
    std::size_t at_step = 0;
};

/// Thrown out of a script after its failure was injected.
struct script_over {};

class script {
public:
    using event = engine::event;

    explicit script(script_mode mode) : mode_(mode), random_(mode.seed) {}
    script(const script&) = delete;
    script& operator=(const script&) = delete;
    ~script()
    {
        release();
        for (test_channel& c : channels_)
            client_->detach_channel(c);
        for (test_operation& op : operations_)
            client_->abandon(nullptr, op);
    }

    /// The client sends its protocol header.
    void begin(engine::client_config config = {})
    {
        client_ = std::make_unique<engine::client>(std::move(config));
        client_->start(now_);
        expect({"protocol header"});
    }
    /// The whole handshake, which is no step, as it has scripts of its own. No heartbeats unless told.
    void open(engine::client_config config = {}, std::string_view tune = tune_frame())
    {
        const bool was_free = std::exchange(is_free_, true);
        begin(std::move(config));
        give(start_frame());
        give(tune);
        give(frame(0, wire::connection::open_ok{}));
        static_cast<void>(take_output());
        is_free_ = was_free;
        expect_events({"opened"});
    }
    [[nodiscard]] test_channel& new_channel() { return channels_.emplace_back(); }
    [[nodiscard]] test_channel& open_channel()
    {
        const bool was_free = std::exchange(is_free_, true);
        test_channel& c = new_channel();
        test_operation& op = start_opening(c);
        static_cast<void>(take_output());
        give(frame(c.number(), wire::channel::open_ok{}));
        is_free_ = was_free;
        check(op.is_done(), "channel.open");
        return c;
    }
    test_operation& start_opening(test_channel& c)
    {
        test_operation& op = new_operation();
        client_->open_channel(c, op, soon());
        return op;
    }
    [[nodiscard]] test_operation& new_operation() { return operations_.emplace_back(); }
    template <wire::method Request>
    test_operation& request(test_channel& c, const Request& m, wire::method_number answer)
    {
        test_operation& op = new_operation();
        client_->request(c, m, answer, &op, soon());
        return op;
    }
    /// Deadlines of operations unless they have others.
    [[nodiscard]] instant soon() const noexcept { return now_ + duration::seconds(30); }
    [[nodiscard]] instant now() const noexcept { return now_; }
    [[nodiscard]] engine::client& client() noexcept { return *client_; }

    /// The server sends this, in one piece or in many.
    void give(std::string_view bytes)
    {
        step();
        while (!bytes.empty()) {
            const auto space = client_->prepare();
            const std::size_t n = std::min({piece(), space.size, bytes.size()});
            std::memcpy(space.data, bytes.data(), n);
            bytes.remove_prefix(n);
            client_->received(n);
            pull();
        }
    }
    /// All that the client has written since the last time, one text for each frame.
    void expect(std::initializer_list<std::string_view> frames)
    {
        step();
        compare(lines_of(frames), take_output(), "output");
    }
    /// All events since the last time.
    void expect_events(std::initializer_list<std::string_view> events)
    {
        step();
        compare(lines_of(events), std::exchange(events_, {}), "events");
    }
    void forget_events() { events_.clear(); }
    void advance(duration d, bool input_paused = false)
    {
        step();
        advance_to(now_ + d, input_paused);
    }
    /// The events of what was done to the client directly.
    void pull()
    {
        while (const event* e = client_->next_event())
            note(*e);
    }
    [[nodiscard]] std::string take_output()
    {
        std::string bytes;
        engine::output_buffer& out = client_->output();
        while (!out.empty()) {
            std::string taken;
            out.for_each_piece([&](const char* data, std::size_t n) {
                taken.append(data, n);
                return true;
            });
            const std::size_t n = std::min(piece(), taken.size());
            bytes.append(taken, 0, n);
            out.consume(n);
        }
        return text_of_frames(bytes);
    }
    /// Deliveries are held with their memory until here, to see that nobody writes into it.
    void release()
    {
        for (held& h : held_) {
            check(std::string_view(h.body) == h.copy, "a delivery's bytes changed");
            h.block->drop_lease();
        }
        held_.clear();
    }
    void check(bool ok, std::string_view what)
    {
        INFO(std::string(what));
        CHECK(ok);
        has_failed_ = has_failed_ || !ok;
    }
    /// The end of the script: it must have named everything.
    void finish()
    {
        if (client_ == nullptr)
            return;
        expect({});
        expect_events({});
    }
    [[nodiscard]] std::size_t steps() const noexcept { return steps_; }
    [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }

private:
    struct held {
        shared_block* block;
        std::string_view body;
        std::string copy;
    };

    void step()
    {
        if (is_free_ || client_ == nullptr)
            return;
        if (steps_++ != mode_.at_step || mode_.what == script_mode::fault::none)
            return;
        is_free_ = true;
        fail_here();
        throw script_over();
    }
    [[nodiscard]] std::size_t piece()
    {
        switch (mode_.how) {
        case script_mode::input::whole: break;
        case script_mode::input::bytes: return 1;
        case script_mode::input::random:
            return std::uniform_int_distribution<std::size_t>(1, 1 + random_() % 40)(random_);
        }
        return static_cast<std::size_t>(-1);
    }
    void advance_to(instant t, bool input_paused)
    {
        // As a timer does: at each deadline, and at the end.
        while (client_->next_deadline() < t) {
            now_ = std::max(now_, client_->next_deadline());
            client_->tick(now_, input_paused);
            pull();
        }
        now_ = t;
        client_->tick(now_, input_paused);
        pull();
    }
    void note(const event& e);
    void hold(const event& e, bool take_reference)
    {
        const auto& m = e.message;
        m.block->add_lease();
        if (take_reference && m.block != client_->read_block())
            m.block->drop_reference();
        held_.push_back({m.block, m.body, std::string(m.body)});
        if (mode_.seed % 2 != 0) // every other run reuses its blocks at once
            release();
    }
    void fail_here();
    void check_dead();
    void compare(const std::string& wanted, const std::string& got, std::string_view what)
    {
        INFO(std::string(what), " after step ", steps_);
        CHECK(got == wanted);
        has_failed_ = has_failed_ || got != wanted;
    }
    [[nodiscard]] static std::string lines_of(std::initializer_list<std::string_view> texts)
    {
        std::string lines;
        for (const std::string_view text : texts)
            lines += std::string(text) + "\n";
        return lines;
    }

    script_mode mode_;
    std::mt19937 random_;
    std::unique_ptr<engine::client> client_;
    std::deque<test_channel> channels_;
    std::deque<test_operation> operations_;
    std::deque<held> held_;
    std::string events_;
    instant now_{1'000'000'000'000};
    std::size_t steps_ = 0;
    int times_closed_ = 0;
    bool is_free_ = false;
    bool has_failed_ = false;
};

/// Does with an event what the transport would, and writes it down.
inline void script::note(const event& e)
{
    using kind = event::kind;
    check(times_closed_ == 0, "an event after `closed`");
    auto* channel = static_cast<test_channel*>(e.channel);
    const std::string on = channel == nullptr ? "" : " " + std::to_string(channel->number());
    const auto body = [&] {
        const std::string_view b = e.message.body;
        return b.size() > 32 ? std::to_string(b.size()) + " bytes" : escaped(b);
    };
    switch (e.what) {
    case kind::opened: events_ += "opened\n"; break;
    case kind::delivery: {
        const bool ok = channel->deliveries().arrived(e.delivery_tag, channel->needs_settling);
        events_ += "delivery" + on + " #" + std::to_string(e.delivery_tag) + " " + body() +
                   (ok ? "" : " (impossible)") + "\n";
        hold(e, true);
        break;
    }
    case kind::got:
        check(channel->deliveries().arrived(e.delivery_tag, !e.no_ack), "tag of basic.get-ok");
        events_ += "got" + on + " #" + std::to_string(e.delivery_tag) + " " + body() +
                   (e.op == nullptr ? " for nobody" : "") + (e.no_ack ? " without ack" : "") + "\n";
        if (e.op != nullptr)
            e.op->succeed();
        hold(e, true);
        break;
    case kind::returned:
        events_ += "returned" + on + " " + body() + "\n";
        hold(e, true);
        break;
    case kind::cancelled: events_ += "cancelled" + on + " " + std::string(e.text) + "\n"; break;
    case kind::consuming_unasked:
        events_ += "consuming unasked" + on + " " + std::string(e.text) + "\n";
        break;
    case kind::cancel_unasked: events_ += "cancel unasked" + on + " " + std::string(e.text) + "\n"; break;
    case kind::flow: events_ += "flow" + on + (channel->flow_active() ? " on\n" : " off\n"); break;
    case kind::blocked: events_ += "blocked " + std::string(e.text) + "\n"; break;
    case kind::unblocked: events_ += "unblocked\n"; break;
    case kind::channel_closed:
        events_ += "channel closed" + on + ": " + channel->reason().sentence() + "\n";
        break;
    case kind::closed:
        ++times_closed_;
        events_ += "closed: " + client_->reason().sentence() + "\n";
        break;
    }
}

inline void script::fail_here()
{
    using fault = script_mode::fault;
    switch (mode_.what) {
    case fault::none: break;
    case fault::end_of_input: break; // as all end
    case fault::silence: break;
    case fault::garbage: give(raw_frame(99, 0, "")); break;
    case fault::own_close: client_->close(reply_code::success, "bye", now_ + duration::seconds(5)); break;
    }
    pull();
    if (mode_.what != fault::end_of_input) {
        // Everything with a deadline comes to its end. Heartbeats that nobody answers end as well.
        for (int i = 0; i < 1000 && client_->next_deadline() != instant::never(); ++i)
            advance_to(client_->next_deadline(), false);
        check(client_->next_deadline() == instant::never(), "deadlines without end");
        for (const test_operation& op : operations_)
            check(!op.is_waiting(), "an operation outlived its deadline");
    }
    client_->input_ended(std::make_error_code(std::errc::connection_reset), "the socket broke");
    pull();
    check_dead();
}

inline void script::check_dead()
{
    check(client_->current_state() == engine::client::state::closed, "the client is closed");
    check(static_cast<bool>(client_->reason()), "there is a reason");
    check(times_closed_ == 1, "`closed` was reported once");
    check(client_->next_event() == nullptr, "nothing follows");
    check(client_->next_deadline() == instant::never(), "no deadline is left");
    for (const test_operation& op : operations_) {
        check(!op.is_waiting(), "an operation waits for ever");
        check(op.times_finished <= 1, "an operation ended twice");
    }
    for (const test_channel& c : channels_) {
        check(c.state() == engine::channel_state::closed, "a channel is closed");
        check(c.number() == 0 || static_cast<bool>(c.reason()), "and knows why");
    }
}

inline void run_script(void (*body)(script&))
{
    using mode = script_mode;
    bool failed = false;
    const auto run = [&](mode m) {
        if (failed)
            return std::size_t{0}; // one report is enough
        INFO("input ", static_cast<int>(m.how), " (whole, bytes, random), seed ", m.seed, ", fault ",
             static_cast<int>(m.what), " (none, end, silence, garbage, close) at step ", m.at_step);
        script t(m);
        try {
            body(t);
            t.finish();
        } catch (const script_over&) {
        }
        failed = t.has_failed();
        return t.steps();
    };
    const std::size_t steps = run({});
    run({.how = mode::input::whole, .seed = 1});
    run({.how = mode::input::bytes, .seed = 0});
    run({.how = mode::input::bytes, .seed = 1});
    for (unsigned seed = 1; seed <= 10; ++seed)
        run({.how = mode::input::random, .seed = seed});
    for (const auto fault : {mode::fault::end_of_input, mode::fault::silence, mode::fault::garbage,
                             mode::fault::own_close})
        for (std::size_t at = 0; at < steps; ++at)
            run({.what = fault, .at_step = at});
}

} // namespace leveret::test

#define ENGINE_SCRIPT_IMPL(function, ...)                                                          \
    static void function(::leveret::test::script& t);                                              \
    TEST_CASE(__VA_ARGS__) { ::leveret::test::run_script(&function); }                             \
    static void function([[maybe_unused]] ::leveret::test::script& t)

#define ENGINE_SCRIPT(...) ENGINE_SCRIPT_IMPL(DOCTEST_ANONYMOUS(leveret_engine_script_), __VA_ARGS__)
