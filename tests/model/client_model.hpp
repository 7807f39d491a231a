// Random operations of clients, over any transport, beside the model of a broker that broker_model.cpp holds
// against the core: all that clients are told must be the same. One seed gives one sequence, whatever the
// transport, so what passes here in memory and over AMQP to RabbitMQ makes the model, the core and RabbitMQ agree.
//
// A broker far away does much of its work later. After each operation the run waits for every delivery, return and
// cancellation that the model tells of, asks the channel something that it answers behind all it did before, and
// then looks until all queues hold what they should. What still depends on chance in a broker of many processes
// is not done here:
//   - the consumers of one channel are all of one queue, since deliveries of two queues meet in any order;
//   - queues with dead letters get messages by their name alone and each has its own target, queues of exchanges
//     have no dead letters, and transactions publish to these: two ways into one queue race;
//   - a commit publishes or settles, since RabbitMQ's queues prefer acknowledgements to messages, and gives back
//     one message at most, since RabbitMQ delivers the first again before it takes the second;
//   - what is settled at once was delivered to one consumer: RabbitMQ buries messages in the order of their
//     consumers' tags, and has an order of its own in which consumers that get credit at once are served;
//   - the single active consumer is not cancelled while messages wait: in 3.10 they go on waiting;
//   - nothing that depends on time, prefetch of whole channels, quorum queues (see docs/differences.md).
#pragma once

#include "model/model.hpp"

#include <leveret/core/error.hpp>
#include <leveret/core/message.hpp>
#include <leveret/core/options.hpp>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace leveret::model {

/// Transport as in conformance/transports.hpp.
template <class Transport>
class client_run {
public:
    using connection = typename Transport::connection;
    using channel_handle = typename Transport::channel;
    using consumer_handle = typename Transport::consumer;
    using task = asio::awaitable<void>;

    static constexpr int queues = 6; // the lower half may have dead letters, the upper half is bound
    static constexpr int channels = 4;

    /// Names begin with `prefix`, so that nobody else has them.
    client_run(Transport& transport, std::string prefix, std::uint64_t seed)
        : transport_(transport), prefix_(std::move(prefix)), seed_(seed), random_(seed)
    {
    }

    /// Takes `n` steps and leaves nothing behind.
    task steps(std::uint64_t n)
    {
        co_await begin();
        for (step_ = 1; step_ <= n; ++step_) {
            co_await one();
            co_await compare();
        }
        co_await end();
    }
    [[nodiscard]] std::uint64_t events() const { return events_; }

private:
    [[noreturn]] void fail(const std::string& what)
    {
        FAIL("LEVERET_MODEL_SEED=" << seed_ << ", step " << step_ << ", " << doing_ << ": " << what);
        std::abort(); // FAIL has thrown
    }
    void same(const std::string& found, const std::string& wanted, const char* what)
    {
        if (found != wanted)
            fail(std::string(what) + ": '" + found + "' instead of '" + wanted + "'");
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    bool chance(std::size_t percent) { return below(100) < percent; }
    std::string queue_name(int i) const { return prefix_ + "q" + std::to_string(i); }
    std::string exchange_name(std::size_t i) const
    {
        static constexpr std::array<const char*, 3> names{"f", "d", "g"};
        return prefix_ + names[i];
    }
    channel_handle& at(int ch) { return handles_[static_cast<std::size_t>(ch)]; }
    channel& model_at(int ch) { return model_.channels[static_cast<std::size_t>(ch)]; }
    connection& connection_of(int ch) { return connections_[static_cast<std::size_t>(session_of(ch))]; }
    static int session_of(int ch) { return ch / (channels / 2); }

    task begin()
    {
        for (std::size_t s = 0; s < connections_.size(); ++s) {
            connections_[s] = co_await transport_.connect();
            watchers_[s] = co_await connections_[s].open_channel();
        }
        const std::string f = exchange_name(0), d = exchange_name(1), g = exchange_name(2);
        model_.exchanges = {{"", "direct", {}}, {f, "fanout", {}}, {d, "direct", f}, {g, "fanout", {}}};
        model_.channels.resize(channels);
        co_await watchers_[0].declare_exchange(f, "fanout");
        co_await watchers_[0].declare_exchange(g, "fanout");
        co_await watchers_[0].declare_exchange(d, "direct", {.alternate_exchange = f});
        for (int ch = 0; ch < channels; ++ch)
            co_await open(ch);
    }
    /// What is left in the queues is compared as well.
    task end()
    {
        for (int ch = 0; ch < channels; ++ch) {
            doing_ = "the end of channel " + std::to_string(ch);
            co_await close(ch);
            co_await compare();
        }
        for (int i = 0; i < queues; ++i)
            while (const queue* q = model_.find(queue_name(i))) {
                doing_ = "the end of " + q->name;
                const int ch = q->s.owner == 1 ? channels - 1 : 0;
                if (q->entries.empty()) {
                    const std::string name = q->name;
                    static_cast<void>(co_await at(ch).delete_queue(name));
                    model_.remove_queue(name);
                } else {
                    co_await get(ch, q->name);
                    co_await compare();
                    if (model_at(ch).unacked_list.size() > 50)
                        co_await close(ch); // what was not acknowledged comes again
                }
            }
        for (std::size_t i = 0; i < 3; ++i)
            co_await watchers_[0].delete_exchange(exchange_name(i));
        for (connection& c : connections_)
            co_await c.close();
    }
    task open(int ch)
    {
        at(ch) = co_await connection_of(ch).open_channel();
        model_at(ch) = channel();
        settled_[static_cast<std::size_t>(ch)].clear();
        model_at(ch).session = session_of(ch);
        if (chance(25)) {
            co_await at(ch).select_transactions();
            model_at(ch).tx = true;
        } else {
            co_await at(ch).select_confirms();
            model_at(ch).confirms = true;
        }
    }
    task close(int ch)
    {
        model_.close(ch);
        if (at(ch).is_open())
            co_await at(ch).close(); // before its consumers, which would cancel themselves one by one
        streams_.erase(streams_.lower_bound({ch, ""}), streams_.lower_bound({ch + 1, ""}));
        co_await open(ch);
    }

    /// Awaits an operation. `refused` is what the broker must have against it, which ends the channel.
    template <class T>
    asio::awaitable<T> expect(int ch, asio::awaitable<T> operation, std::string refused)
    {
        std::string text;
        T result{};
        try {
            result = co_await std::move(operation);
        } catch (const channel_error& e) {
            text = e.diagnostics().text;
        }
        same(text, refused, "the answer");
        if (!refused.empty())
            co_await close(ch);
        co_return std::move(result);
    }
    task expect(int ch, task operation, std::string refused)
    {
        static_cast<void>(co_await expect(ch, done(std::move(operation)), std::move(refused)));
    }
    static asio::awaitable<int> done(task operation)
    {
        co_await std::move(operation);
        co_return 0;
    }
    std::string refusal(int ch, const std::string& name)
    {
        const queue* q = model_.find(name);
        if (q == nullptr)
            return "NOT_FOUND - no queue '" + name + "' in vhost '/'";
        return q->s.owner >= 0 && q->s.owner != session_of(ch) ? locked(name) : std::string();
    }
    static std::string locked(const std::string& name)
    {
        return "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '" + name +
               "' in vhost '/'. It could be originally declared on another connection or the exclusive "
               "property value does not match that of the original declaration.";
    }

    task one()
    {
        const int ch = static_cast<int>(below(channels));
        const int i = static_cast<int>(below(queues));
        const std::string name = queue_name(i);
        const std::size_t what = below(1000);
        doing_ = "operation " + std::to_string(what) + " of channel " + std::to_string(ch) + " on " + name;
        if (what < 330)
            co_await publish(ch, i);
        else if (what < 380)
            co_await declare(ch, i);
        else if (what < 390)
            co_await remove(ch, name);
        else if (what < 430)
            co_await bind(ch, queues / 2 + i % (queues / 2));
        else if (what < 500)
            co_await consume(ch, name);
        else if (what < 530)
            co_await cancel(ch);
        else if (what < 650)
            co_await get(ch, name);
        else if (what < 900)
            co_await settle(ch);
        else if (what < 915)
            co_await recover(ch);
        else if (what < 965)
            co_await transact(ch);
        else if (what < 980)
            co_await purge(ch, name);
        else
            co_await close(ch);
    }

    task declare(int ch, int i)
    {
        const std::string name = queue_name(i);
        const std::string dead_key = queue_name(i + queues / 2);
        settings s;
        queue_options o;
        if (chance(15)) {
            o.exclusive = true;
            s.owner = session_of(ch);
        }
        s.auto_delete = o.auto_delete = chance(15);
        if (chance(40)) {
            s.max_length = below(5);
            o.max_length = static_cast<std::int64_t>(s.max_length);
            if (chance(50)) {
                s.reject = true;
                s.reject_dlx = i < queues / 2 && chance(50);
                o.overflow = s.reject_dlx ? overflow::reject_publish_dlx : overflow::reject_publish;
            }
        }
        if (i < queues / 2 && chance(70)) {
            s.dlx = chance(90) ? "" : "missing";
            o.dead_letter_exchange = *s.dlx;
            s.dead_key = dead_key;
            o.dead_letter_routing_key = dead_key;
        }
        s.single_active = o.single_active_consumer = chance(15);
        if (chance(25)) {
            s.max_priority = static_cast<int>(1 + below(3));
            o.max_priority = static_cast<std::uint8_t>(s.max_priority);
        }
        doing_ += s.single_active ? ": single active" : "";
        const queue* known = model_.find(name);
        if (known != nullptr && known->s != s && known->s.owner == s.owner)
            co_return; // what differs is told in words that conformance/ compares
        std::string refused;
        if (known != nullptr && known->s.owner != s.owner)
            refused = locked(name);
        const queue_info info = co_await expect(ch, at(ch).declare_queue(name, o), refused);
        if (known == nullptr) {
            same(std::to_string(info.message_count() + info.consumer_count()), "0", "in a new queue");
            model_.declare(name, s);
        }
    }
    task remove(int ch, std::string name)
    {
        const queue* q = model_.find(name);
        std::string refused = q == nullptr ? std::string() : refusal(ch, name);
        const bool if_unused = chance(30);
        const bool if_empty = chance(30);
        if (q != nullptr && refused.empty()) {
            if (if_empty && !q->entries.empty())
                refused = "PRECONDITION_FAILED - queue '" + name + "' in vhost '/' not empty";
            else if (if_unused && !q->consumers.empty())
                refused = "PRECONDITION_FAILED - queue '" + name + "' in vhost '/' in use";
        }
        const std::size_t had = q == nullptr ? 0 : q->entries.size();
        if (q != nullptr && refused.empty())
            model_.remove_queue(name);
        const delete_queue_options o{.if_unused = if_unused, .if_empty = if_empty};
        const std::uint32_t n = co_await expect(ch, at(ch).delete_queue(name, o), refused);
        if (refused.empty())
            same(std::to_string(n), std::to_string(had), "deleted messages");
    }
    task bind(int ch, int i)
    {
        const std::string source = exchange_name(below(3));
        if (chance(10)) { // exchange to exchange
            const std::string to = exchange_name(below(3));
            const std::string key = "k" + std::to_string(below(2));
            if (chance(50)) {
                co_await at(ch).bind_exchange(to, source, key);
                model_.bind({source, to, key, false});
            } else {
                co_await at(ch).unbind_exchange(to, source, key);
                model_.unbind({source, to, key, false});
            }
            co_return;
        }
        const std::string name = queue_name(i);
        const std::string key = "k" + std::to_string(below(3));
        if (chance(70)) {
            const std::string refused = refusal(ch, name);
            if (refused.empty())
                model_.bind({source, name, key, true});
            co_await expect(ch, at(ch).bind_queue(name, source, key), refused);
        } else {
            const bool is_bound = model_.find(name) != nullptr && model_.is_bound({source, name, key, true});
            const std::string refused = is_bound ? refusal(ch, name) : ""; // RabbitMQ looks no further
            if (is_bound && refused.empty())
                model_.unbind({source, name, key, true});
            co_await expect(ch, at(ch).unbind_queue(name, source, key), refused);
        }
    }
    task publish(int ch, int i)
    {
        const bool to_default = chance(70);
        if (model_at(ch).tx && i < queues / 2)
            i += queues / 2;
        const std::string exchange = to_default ? "" : exchange_name(below(3));
        const std::string key = to_default ? queue_name(i) : "k" + std::to_string(below(3));
        const std::string body = std::to_string(++bodies_);
        doing_ += ": " + body + " to '" + exchange + "' " + key;
        const int priority = static_cast<int>(below(5));
        leveret::message m(body);
        if (priority > 0)
            m.priority(static_cast<std::uint8_t>(priority));
        const bool mandatory = chance(20);
        model_.publish(ch, exchange, key, body, priority, never, mandatory);
        if (model_at(ch).tx) {
            co_await at(ch).publish(exchange, key, m, {.mandatory = mandatory});
            co_return;
        }
        const publish_result r = co_await at(ch).publish_confirmed(exchange, key, m, {.mandatory = mandatory});
        auto& events = model_at(ch).events;
        std::string wanted;
        const std::string number = std::to_string(model_at(ch).last_published);
        if (std::erase(events, "returned " + body) != 0) {
            wanted = "returned";
            std::erase(events, "ack " + number);
        } else if (std::erase(events, "ack " + number) != 0)
            wanted = "confirmed";
        else if (std::erase(events, "nack " + number) != 0)
            wanted = "rejected";
        same(r.is_unroutable() ? "returned" : r.is_confirmed() ? "confirmed" : "rejected", wanted, "the message was");
        ++events_;
    }
    task consume(int ch, std::string name)
    {
        const auto& own = model_at(ch).consumers;
        if (own.size() >= 4)
            co_return;
        if (!own.empty() && model_.find(name) != nullptr)
            name = model_.find_consumer(own.front())->queue;
        const std::string tag = "t" + std::to_string(++tags_);
        const std::string refused = refusal(ch, name);
        consume_options o;
        o.tag = tag;
        o.no_ack = chance(30);
        o.prefetch = static_cast<std::uint16_t>(below(4));
        const int priority = chance(30) ? static_cast<int>(below(3)) - 1 : 0;
        o.priority = priority;
        doing_ += ": " + tag + (o.no_ack ? ", no ack" : ", prefetch " + std::to_string(*o.prefetch)) +
                  ", priority " + std::to_string(priority);
        if (refused.empty()) {
            model_at(ch).prefetch = o.no_ack ? 0 : *o.prefetch;
            model_.consume(ch, name, tag, o.no_ack, priority);
        }
        consumer_handle made = co_await expect(ch, at(ch).consume(name, o), refused);
        if (refused.empty())
            streams_.emplace(std::pair(ch, tag), std::move(made));
    }
    task cancel(int ch)
    {
        const auto& own = model_at(ch).consumers;
        if (own.empty())
            co_return;
        const consumer& one = *model_.find_consumer(own[below(own.size())]);
        const queue* q = model_.find(one.queue);
        if (q != nullptr && q->active == one.id && !q->entries.empty())
            co_return; // the next one would get these only when something else happens to the queue
        const std::string tag = one.tag;
        model_.cancel(ch, tag);
        const auto stream = streams_.find({ch, tag});
        co_await stream->second.cancel();
        streams_.erase(stream);
    }
    task get(int ch, std::string name)
    {
        const std::string refused = refusal(ch, name);
        const bool no_ack = chance(50);
        auto got = co_await expect(ch, at(ch).get(name, {.no_ack = no_ack}), refused);
        if (!refused.empty())
            co_return;
        const std::string wanted = model_.get(ch, name, no_ack);
        const std::string text = got ? text_of(*got) : "-";
        same(text, wanted.substr(0, wanted.rfind(' ')), "got");
        ++events_;
    }
    /// As the model writes it. The delivery is settled by its tag later.
    template <class Delivery>
    static std::string text_of(Delivery& d)
    {
        d.release();
        return std::string(d.body()) + " #" + std::to_string(d.delivery_tag()) + (d.redelivered() ? "!" : "");
    }
    /// Whether these deliveries were to several consumers.
    template <class Which>
    bool of_several(int ch, Which which)
    {
        const unacked* first = nullptr;
        for (const unacked& u : model_at(ch).unacked_list)
            if (which(u)) {
                if (first != nullptr && first->consumer != u.consumer)
                    return true;
                first = &u;
            }
        return false;
    }
    task settle(int ch)
    {
        const auto& all = model_at(ch).unacked_list;
        if (all.empty())
            co_return;
        const unacked& one = all[below(all.size())];
        bool multiple = chance(25);
        const std::uint64_t tag = one.tag;
        auto& settled = settled_[static_cast<std::size_t>(ch)];
        if (settled.contains(tag))
            co_return; // a client settles once
        const std::size_t kind = below(10);
        if (multiple && of_several(ch, [tag](const unacked& u) { return u.tag <= tag; }))
            multiple = false;
        bool is_told = false;
        doing_ += ": " + std::to_string(kind) + (multiple ? " up to " : " of ") + std::to_string(tag);
        if (kind < 6)
            is_told = at(ch).ack(tag, {.multiple = multiple});
        else
            is_told = at(ch).nack(tag, {.multiple = multiple, .requeue = kind < 8});
        if (!is_told)
            fail("the client does not know delivery " + std::to_string(tag));
        for (const unacked& u : all)
            if (multiple ? u.tag <= tag : u.tag == tag)
                settled.insert(u.tag);
        static_cast<void>(model_.settle(ch, tag, multiple, kind < 6 ? 0 : kind < 8 ? 1 : 2));
        co_await answered(ch);
    }
    task recover(int ch)
    {
        if (of_several(ch, [](const unacked&) { return true; }))
            co_return;
        co_await at(ch).recover(true);
        model_.recover(ch);
    }
    task transact(int ch)
    {
        if (!model_at(ch).tx)
            co_return;
        const auto& all = model_at(ch).unacked_list;
        const auto returning = std::count_if(all.begin(), all.end(), [](const unacked& u) { return u.pending && u.how == 1; });
        const bool races = !model_at(ch).tx_publishes.empty() && !model_at(ch).tx_tags.empty();
        if (races || returning > 1 || of_several(ch, [](const unacked& u) { return u.pending; })) {
            co_await close(ch);
            co_return;
        }
        if (chance(30)) {
            const bool opens_again = !model_at(ch).tx_tags.empty();
            co_await at(ch).rollback();
            model_.rollback(ch);
            if (opens_again) // clients settle once: nothing else moves these
                co_await close(ch);
            co_return;
        }
        const bool taken = model_.commit(ch);
        const std::string refused = taken ? "" : "PRECONDITION_FAILED - partial tx completion";
        if (!taken) // returns that came before the end of the channel are not asked for
            std::erase_if(model_at(ch).events, [](const std::string& e) { return e.starts_with("returned"); });
        co_await expect(ch, at(ch).commit(), refused);
    }
    task purge(int ch, std::string name)
    {
        const std::string refused = refusal(ch, name);
        const std::size_t had = refused.empty() ? model_.purge(name) : 0;
        const std::uint32_t n = co_await expect(ch, at(ch).purge_queue(name), refused);
        if (refused.empty())
            same(std::to_string(n), std::to_string(had), "purged messages");
    }
    /// The broker's channel has done all that it was told before.
    task answered(int ch) { co_await at(ch).declare_exchange("amq.direct", "direct", {.passive = true}); }

    task compare()
    {
        for (int ch = 0; ch < channels; ++ch) {
            for (const std::string& wanted : std::exchange(model_at(ch).events, {}))
                co_await compare_event(ch, wanted);
            for (auto& [key, stream] : streams_)
                if (key.first == ch)
                    if (auto d = stream.try_next())
                        fail("channel " + std::to_string(ch) + " also heard " + text_of(*d));
        }
        for (int i = 0; i < queues; ++i)
            if (const queue* q = model_.find(queue_name(i)))
                co_await compare_queue(*q);
    }
    task compare_event(int ch, std::string wanted)
    {
        ++events_;
        if (wanted.starts_with("returned ")) {
            const auto back = co_await at(ch).next_return({.timeout = duration::seconds(5)});
            same("returned " + std::string(back.message().body().view()), wanted, "the return");
            co_return;
        }
        const bool is_cancelled = wanted.starts_with("cancelled ");
        const std::string tag =
            is_cancelled ? wanted.substr(sizeof "cancelled") : wanted.substr(0, wanted.find(':'));
        const auto stream = streams_.find({ch, tag});
        if (stream == streams_.end())
            fail("no consumer for " + wanted);
        std::string found;
        try {
            auto d = co_await stream->second.next({.timeout = duration::seconds(5)});
            found = d ? tag + ":" + text_of(*d) : "the end";
        } catch (const consumer_cancelled&) {
            found = "cancelled " + tag;
        } catch (const timeout_error&) {
            found = "nothing";
            for (auto& [key, other] : streams_)
                if (auto d = other.try_next())
                    found += ", but " + key.second + ":" + text_of(*d);
        }
        same(found, wanted, ("channel " + std::to_string(ch) + " heard").c_str());
        if (is_cancelled)
            streams_.erase(stream);
    }
    /// Looks again for a while: a queue may have work before it that was asked later. Twice at least, since an
    /// answer to the second question comes behind what the queue knew of at the first.
    task compare_queue(const queue& q)
    {
        const std::string wanted =
            std::to_string(q.entries.size()) + " messages, " + std::to_string(q.consumers.size()) + " consumers";
        std::string found;
        channel_handle& watcher = watchers_[q.s.owner == 1 ? 1 : 0];
        for (int tries = 0; tries < 1000; ++tries) {
            const queue_info info = co_await watcher.declare_queue(q.name, {.passive = true});
            const bool is_second = found == wanted;
            found = std::to_string(info.message_count()) + " messages, " + std::to_string(info.consumer_count()) +
                    " consumers";
            if (found == wanted && is_second)
                co_return;
            if (found != wanted) {
                asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(2));
                co_await timer.async_wait(asio::use_awaitable);
            }
        }
        same(found, wanted, q.name.c_str());
    }

    Transport& transport_;
    std::string prefix_;
    std::uint64_t seed_;
    std::mt19937_64 random_;
    std::uint64_t step_ = 0;
    std::uint64_t events_ = 0;
    std::string doing_;
    std::uint64_t bodies_ = 0, tags_ = 0;
    std::array<connection, 2> connections_;
    std::array<channel_handle, 2> watchers_; // one of each connection, for its exclusive queues
    std::array<channel_handle, channels> handles_;
    std::map<std::pair<int, std::string>, consumer_handle> streams_;
    std::array<std::set<std::uint64_t>, channels> settled_;
    broker model_;
};

/// LEVERET_MODEL_SEED and LEVERET_MODEL_STEPS choose which and how long.
inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise)
{
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

} // namespace leveret::model
