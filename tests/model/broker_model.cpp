// Random operations on the broker core and on a model of it that is as naive as can be; everything that
// clients see must be the same. LEVERET_MODEL_STEPS and LEVERET_MODEL_SEED choose how long and which;
// by default 1,000,000 steps of seed 1.
#include "leveret/broker/broker.hpp"
#include "model/model.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

namespace {

namespace lb = leveret::broker;
namespace lm = leveret::model;
using leveret::payload;
using leveret::properties;
using leveret::table;

constexpr int queue_names = 8;
constexpr std::uint64_t check_every = 1;
constexpr int channels = 4; // two of each of two sessions
constexpr std::int64_t grid =
    512; // milliseconds: operations happen on it, expiry of each queue beside it

class recorder final : public lb::channel_listener {
public:
    lb::flow deliver(lb::consumer& to, const lb::delivery& d) noexcept override
    {
        events.push_back(to.tag() + ":" + std::string(d.message.body().view()) + " #" +
                         std::to_string(d.tag) + (d.redelivered ? "!" : ""));
        return capacity > 0 && --capacity == 0 ? lb::flow::enough : lb::flow::more;
    }
    void returned(lb::stored_message& m, leveret::reply_code, std::string_view) noexcept override
    {
        events.push_back("returned " + std::string(m.body().view()));
    }
    void confirmed(std::uint64_t number, bool, bool taken) noexcept override
    {
        events.push_back((taken ? "ack " : "nack ") + std::to_string(number));
    }
    void consumer_cancelled(lb::consumer& c) noexcept override
    {
        events.push_back("cancelled " + c.tag());
    }
    std::vector<std::string> events;
    std::size_t capacity = 0;
};

struct silent final : lb::session_listener {
    void blocked(std::string_view) noexcept override {}
    void unblocked() noexcept override {}
};

class run {
public:
    explicit run(std::uint64_t seed) : seed_(seed), random_(seed)
    {
        for (auto& s : sessions_)
            s = std::move(*broker_.open_session("/", "guest", silent_));
        model_.exchanges = {
            {"", "direct", {}}, {"f", "fanout", {}}, {"d", "direct", "f"}, {"g", "fanout", {}}};
        model_.channels.resize(channels);
        for (int ch = 0; ch < channels; ++ch)
            open(ch);
        const table alternate{{"alternate-exchange", "f"}};
        must(at(0).declare_exchange({.name = "f", .type = "fanout"}));
        must(at(0).declare_exchange({.name = "g", .type = "fanout"}));
        must(at(0).declare_exchange({.name = "d", .type = "direct", .arguments = &alternate}));
    }

    /// Takes as many steps as this life has, at most `n`, and returns how many.
    std::uint64_t steps(std::uint64_t n)
    {
        for (step_ = 1; step_ <= n; ++step_) {
            one();
            if (is_over_)
                break;
            compare_events();
            if (step_ % check_every == 0)
                compare_queues();
        }
        return step_;
    }
    [[nodiscard]] std::uint64_t events() const { return events_; }

private:
    [[noreturn]] void fail(const std::string& what)
    {
        FAIL("LEVERET_MODEL_SEED=" << seed_ << ", step " << step_ << ", " << doing_ << ": "
                                   << what);
        std::abort(); // FAIL has thrown
    }
    void must(const lb::status& s)
    {
        if (!s)
            fail(s.error().text);
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    bool chance(std::size_t percent) { return below(100) < percent; }
    lb::channel& at(int ch) { return *channels_[static_cast<std::size_t>(ch)]; }
    lm::channel& model_at(int ch) { return model_.channels[static_cast<std::size_t>(ch)]; }
    recorder& heard(int ch) { return recorders_[static_cast<std::size_t>(ch)]; }
    static int session_of(int ch) { return ch / (channels / 2); }

    void open(int ch)
    {
        heard(ch).capacity = 0;
        channels_[static_cast<std::size_t>(ch)] = std::move(
            *sessions_[static_cast<std::size_t>(session_of(ch))]->open_channel(heard(ch)));
        model_at(ch) = lm::channel();
        model_at(ch).session = session_of(ch);
        const std::size_t mode = below(4);
        if (mode == 0) {
            must(at(ch).select_confirms());
            model_at(ch).confirms = true;
        } else if (mode == 1) {
            must(at(ch).select_transactions());
            model_at(ch).tx = true;
        }
    }
    void close(int ch)
    {
        compare_events(); // what the operation before did; the model forgets with the channel
        doing_ += " close " + std::to_string(ch);
        channels_[static_cast<std::size_t>(ch)].reset();
        model_.close(ch);
        open(ch);
    }
    void expect(int ch, const lb::status& s, const std::string& wanted)
    {
        const std::string text = s ? "" : s.error().text;
        if (text != wanted)
            fail("'" + text + "' instead of '" + wanted + "'");
        if (!s)
            close(ch);
    }
    /// Why this channel can't use the queue; empty if it can.
    std::string refusal(int ch, const std::string& name)
    {
        const lm::queue* q = model_.find(name);
        if (q == nullptr)
            return "NOT_FOUND - no queue '" + name + "' in vhost '/'";
        if (q->s.owner >= 0 && q->s.owner != session_of(ch))
            return locked(name);
        return {};
    }
    static std::string locked(const std::string& name)
    {
        return "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '" + name +
               "' in vhost '/'. It could be originally declared on another connection or the "
               "exclusive "
               "property value does not match that of the original declaration.";
    }

    void one()
    {
        const int ch = static_cast<int>(below(channels));
        const int i = static_cast<int>(below(queue_names));
        const std::string name = "q" + std::to_string(i);
        const std::size_t what = below(1000);
        doing_ = "operation " + std::to_string(what) + " of channel " + std::to_string(ch) +
                 " on " + name;
        if (what < 380)
            publish(ch, i);
        else if (what < 400)
            declare(ch, i);
        else if (what < 405)
            remove(ch, name);
        else if (what < 425)
            bind(ch, name);
        else if (what < 480)
            consume(ch, name);
        else if (what < 520)
            cancel(ch);
        else if (what < 600)
            get(ch, name);
        else if (what < 850)
            settle(ch);
        else if (what < 855) {
            must(at(ch).recover(true));
            model_.recover(ch);
        } else if (what < 900)
            transact(ch);
        else if (what < 920)
            prefetch(ch);
        else if (what < 940)
            pause_or_resume(ch);
        else if (what < 943)
            purge(ch, name);
        else if (what < 953)
            close(ch);
        else
            pass(static_cast<std::int64_t>(below(6)));
    }

    void declare(int ch, int i)
    {
        const std::string name = "q" + std::to_string(i);
        lm::settings s;
        table arguments;
        lb::queue_declaration d{.name = name};
        if (chance(15)) {
            d.exclusive = true;
            s.owner = session_of(ch);
        }
        s.auto_delete = d.auto_delete = chance(20);
        if (chance(40)) {
            s.max_length = below(5);
            arguments.set("x-max-length", static_cast<std::int64_t>(s.max_length));
            if (chance(50)) {
                s.reject = true;
                s.reject_dlx = chance(50);
                arguments.set("x-overflow", s.reject_dlx ? "reject-publish-dlx" : "reject-publish");
            }
        }
        if (chance(30)) {
            s.ttl = chance(20) ? 0 : beside_grid(i);
            arguments.set("x-message-ttl", s.ttl);
        }
        if (chance(15)) {
            s.lease = static_cast<std::int64_t>(below(20)) * grid + 256 + i;
            arguments.set("x-expires", s.lease);
        }
        if (chance(50)) {
            s.dlx = chance(70) ? "" : chance(50) ? "d" : "missing";
            arguments.set("x-dead-letter-exchange", *s.dlx);
            if (chance(80)) {
                s.dead_key = "q" + std::to_string((i + 1) % queue_names);
                arguments.set("x-dead-letter-routing-key", *s.dead_key);
            }
        }
        s.single_active = chance(15);
        if (s.single_active)
            arguments.set("x-single-active-consumer", true);
        if (chance(20) && !d.exclusive && !d.auto_delete) {
            arguments.set("x-queue-type", "quorum");
            d.durable = true;
            s.delivery_limit = static_cast<std::uint32_t>(below(3));
            arguments.set("x-delivery-limit", static_cast<std::int64_t>(*s.delivery_limit));
        } else if (chance(25)) {
            s.max_priority = static_cast<int>(1 + below(3));
            arguments.set("x-max-priority", std::int64_t{s.max_priority});
        }
        d.arguments = &arguments;
        if (const lm::queue* known = model_.find(name)) {
            if (known->s == s) { // rarely: once more the same
                must(at(ch).declare_queue(d));
                model_.find(name)->last_use = model_.now;
                return;
            }
            if (known->s.owner != s.owner)
                expect(ch, at(ch).declare_queue(d), locked(name));
            return;
        }
        const auto info = at(ch).declare_queue(d);
        must(info);
        if (info->message_count != 0 || info->consumer_count != 0)
            fail("a new queue is not empty");
        model_.declare(name, s);
    }
    void remove(int ch, const std::string& name)
    {
        const std::string refused = model_.find(name) == nullptr ? "" : refusal(ch, name);
        const bool if_unused = chance(30);
        const bool if_empty = chance(30);
        std::string wanted = refused;
        const lm::queue* q = model_.find(name);
        if (q != nullptr && wanted.empty()) {
            if (if_empty && !q->entries.empty())
                wanted = "PRECONDITION_FAILED - queue '" + name + "' in vhost '/' not empty";
            else if (if_unused && !q->consumers.empty())
                wanted = "PRECONDITION_FAILED - queue '" + name + "' in vhost '/' in use";
        }
        const std::size_t had = q == nullptr ? 0 : q->entries.size();
        const auto n = at(ch).delete_queue(name, if_unused, if_empty);
        if (n && *n != had)
            fail("deleted with another number of messages");
        if (n && q != nullptr)
            model_.remove_queue(name);
        expect(ch, n, wanted);
    }
    void bind(int ch, const std::string& name)
    {
        static constexpr std::array<const char*, 3> sources{"f", "d", "g"};
        const std::string source = sources[below(3)];
        if (chance(10)) { // exchange to exchange
            const std::string to = sources[below(3)];
            const std::string key = "k" + std::to_string(below(2));
            const lb::binding_declaration d{
                .source = source, .destination = to, .routing_key = key};
            if (chance(50)) {
                must(at(ch).bind_exchange(d));
                model_.bind({source, to, key, false});
            } else {
                must(at(ch).unbind_exchange(d));
                model_.unbind({source, to, key, false});
            }
            return;
        }
        const std::string key = "k" + std::to_string(below(3));
        const lb::binding_declaration d{.source = source, .destination = name, .routing_key = key};
        const bool exists = model_.find(name) != nullptr;
        if (chance(60)) {
            const std::string refused = refusal(ch, name);
            if (refused.empty())
                model_.bind({source, name, key, true});
            expect(ch, at(ch).bind_queue(d), refused);
        } else {
            const bool is_bound = exists && model_.is_bound({source, name, key, true});
            const std::string refused = is_bound ? refusal(ch, name) : ""; // RabbitMQ looks no further
            if (is_bound && refused.empty())
                model_.unbind({source, name, key, true});
            expect(ch, at(ch).unbind_queue(d), refused);
        }
    }
    void publish(int ch, int i)
    {
        static constexpr std::array<const char*, 3> names{"f", "d", "g"};
        const bool to_default = chance(70);
        const std::string exchange = to_default ? "" : names[below(3)];
        const std::string key =
            to_default ? "q" + std::to_string(i) : "k" + std::to_string(below(3));
        const std::string body = std::to_string(++bodies_);
        properties p;
        const int priority = static_cast<int>(below(5));
        if (priority > 0)
            p.priority(static_cast<std::uint8_t>(priority));
        std::int64_t ttl = lm::never;
        if (to_default && chance(10)) { // beside the grid as the queue's own
            ttl = beside_grid(i);
            p.expiration(std::to_string(ttl));
        }
        const bool mandatory = chance(20);
        must(at(ch).publish({.exchange = exchange, .routing_key = key, .mandatory = mandatory},
                            payload(body), p));
        model_.publish(ch, exchange, key, body, priority, ttl, mandatory);
    }
    void consume(int ch, const std::string& name)
    {
        if (model_at(ch).consumers.size() >= 4)
            return;
        const std::string tag = "t" + std::to_string(++tags_);
        const bool no_ack = chance(30);
        const int priority = chance(30) ? static_cast<int>(below(3)) - 1 : 0;
        const table arguments{{"x-priority", std::int32_t{priority}}};
        std::string refused = refusal(ch, name);
        const lm::queue* q = model_.find(name);
        if (refused.empty() && q->s.delivery_limit && model_at(ch).limit != 0 && !no_ack)
            refused =
                "NOT_IMPLEMENTED - queue '" + name + "' in vhost '/' does not support global qos";
        const auto made =
            at(ch).consume({.queue = name, .tag = tag, .no_ack = no_ack, .arguments = &arguments});
        if (refused.empty())
            model_.consume(ch, name, tag, no_ack, priority);
        expect(ch, made, refused);
    }
    void cancel(int ch)
    {
        if (model_at(ch).consumers.empty())
            return;
        const auto& all = model_at(ch).consumers;
        const std::string tag = model_.find_consumer(all[below(all.size())])->tag;
        at(ch).cancel(tag);
        model_.cancel(ch, tag);
    }
    void get(int ch, const std::string& name)
    {
        std::string refused = refusal(ch, name);
        const bool no_ack = chance(50);
        if (const lm::queue* q = model_.find(name);
            refused.empty() && q->s.delivery_limit && q->s.single_active)
            refused =
                "RESOURCE_LOCKED - cannot obtain access to locked queue '" + name +
                "' in vhost '/'. basic.get operations are not supported by quorum queues with "
                "single active consumer";
        const auto got = at(ch).get(name, no_ack);
        if (got && refused.empty()) {
            std::string text = "-";
            if (const auto& m = *got)
                text = std::string(m->message->body().view()) + " #" + std::to_string(m->tag) +
                       (m->redelivered ? "!" : "") + " " + std::to_string(m->message_count);
            const std::string wanted = model_.get(ch, name, no_ack);
            if (text != wanted)
                fail("got " + text + " instead of " + wanted);
        }
        expect(ch, got, refused);
    }
    void settle(int ch)
    {
        const lm::channel& m = model_at(ch);
        const bool multiple = chance(25);
        std::uint64_t tag = m.last_tag + 5;
        if (!m.unacked_list.empty() && chance(98))
            tag = m.unacked_list[below(m.unacked_list.size())].tag;
        else if (chance(95))
            return;
        if (multiple && chance(20))
            tag = 0;
        const std::size_t kind = below(10);
        const int how = kind < 6 ? 0 : kind < 8 ? 1 : 2;
        const auto done = at(ch).settle(tag, multiple,
                                        how == 0   ? lb::settlement::ack
                                        : how == 1 ? lb::settlement::requeue
                                                   : lb::settlement::discard);
        const bool known = model_.settle(ch, tag, multiple, how);
        expect(ch, done,
               known ? "" : "PRECONDITION_FAILED - unknown delivery tag " + std::to_string(tag));
    }
    void transact(int ch)
    {
        if (!model_at(ch).tx)
            return;
        if (chance(30)) {
            must(at(ch).rollback());
            model_.rollback(ch);
            return;
        }
        const auto done = at(ch).commit();
        const bool taken = model_.commit(ch);
        expect(ch, done, taken ? "" : "PRECONDITION_FAILED - partial tx completion");
    }
    void prefetch(int ch)
    {
        const std::size_t n = below(5);
        const bool global = chance(40);
        must(at(ch).set_prefetch(0, static_cast<std::uint16_t>(n), global));
        model_.set_prefetch(ch, n, global);
    }
    void pause_or_resume(int ch)
    {
        if (chance(40)) {
            at(ch).pause();
            model_at(ch).paused = true;
            return;
        }
        const std::size_t capacity = below(4);
        heard(ch).capacity = capacity;
        at(ch).resume();
        model_.resume(ch, capacity);
    }
    void purge(int ch, const std::string& name)
    {
        const std::string refused = refusal(ch, name);
        const auto n = at(ch).purge(name);
        if (n && refused.empty() && *n != model_.purge(name))
            fail("purged another number of messages");
        expect(ch, n, refused);
    }
    [[nodiscard]] std::int64_t beside_grid(int i)
    {
        return static_cast<std::int64_t>(below(6)) * grid + (std::int64_t{1} << i);
    }
    void pass(std::int64_t steps)
    {
        const std::int64_t until = model_.now + steps * grid;
        for (;;) {
            const auto [due, queues] = model_.next_due();
            if (due > until)
                break;
            if (queues > 1) { // their order is nobody's business: this life ends here
                is_over_ = true;
                return;
            }
            if (broker_.next_deadline() > leveret::instant(due * 1'000'000))
                fail("nothing is due at " + std::to_string(due));
            broker_.tick(leveret::instant(due * 1'000'000));
            model_.tick(due);
        }
        broker_.tick(leveret::instant(until * 1'000'000));
        model_.tick(until);
    }

    void compare_events()
    {
        for (int ch = 0; ch < channels; ++ch) {
            auto& a = heard(ch).events;
            auto& b = model_at(ch).events;
            events_ += a.size();
            if (a != b) {
                const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
                fail("channel " + std::to_string(ch) + " heard " + (x == a.end() ? "nothing" : *x) +
                     " instead of " + (y == b.end() ? "nothing" : *y));
            }
            a.clear();
            b.clear();
        }
    }
    void compare_queues()
    {
        const lb::virtual_host& host = *broker_.find_virtual_host("/");
        if (host.queue_count() != model_.queues.size())
            fail("another number of queues");
        if (host.binding_count() != model_.bindings.size())
            fail("another number of bindings");
        for (const lm::queue& wanted : model_.queues) {
            const lb::queue* q = host.find_queue(wanted.name);
            if (q == nullptr)
                fail("no queue " + wanted.name);
            std::size_t unacked = 0;
            for (const lm::channel& c : model_.channels)
                for (const lm::unacked& u : c.unacked_list)
                    unacked +=
                        u.queue == wanted.name && u.incarnation == wanted.incarnation ? 1 : 0;
            if (q->message_count() != wanted.entries.size() ||
                q->consumer_count() != wanted.consumers.size() ||
                q->unacknowledged_count() != unacked)
                fail("queue " + wanted.name + " has " + std::to_string(q->message_count()) + ", " +
                     std::to_string(q->consumer_count()) + ", " +
                     std::to_string(q->unacknowledged_count()) + " instead of " +
                     std::to_string(wanted.entries.size()) + ", " +
                     std::to_string(wanted.consumers.size()) + ", " + std::to_string(unacked) +
                     " messages, consumers, unacknowledged");
        }
        for (int ch = 0; ch < channels; ++ch)
            if (at(ch).unacknowledged_count() != model_at(ch).unacked_list.size())
                fail("another number of unacknowledged messages");
    }

    std::uint64_t seed_;
    std::mt19937_64 random_;
    std::uint64_t step_ = 0;
    std::uint64_t events_ = 0;
    bool is_over_ = false;
    std::string doing_;
    std::uint64_t bodies_ = 0, tags_ = 0;
    silent silent_;
    std::array<recorder, channels> recorders_;
    lb::broker broker_;
    std::array<std::unique_ptr<lb::session>, 2> sessions_;
    std::array<std::unique_ptr<lb::channel>, channels> channels_;
    lm::broker model_;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise)
{
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace

TEST_CASE("random operations look the same on the broker core and on the model")
{
    const std::uint64_t steps = from_environment("LEVERET_MODEL_STEPS", 1'000'000);
    const std::uint64_t seed = from_environment("LEVERET_MODEL_SEED", 1);
    // Many short lives instead of one: each begins with nothing.
    constexpr std::uint64_t life = 20'000;
    std::uint64_t events = 0;
    for (std::uint64_t done = 0, n = 0; done < steps; ++n) {
        run r(seed + n);
        done += r.steps(steps - done < life ? steps - done : life);
        events += r.events();
    }
    MESSAGE(steps << " steps from seed " << seed << ", " << events << " events: the same");
    CHECK(events > steps / 4); // it did something
}
