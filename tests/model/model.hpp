// A broker as simple as can be: vectors, linear search, whole copies. What the broker core does must look
// the same from outside.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace leveret::model {

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

struct message {
    std::string body, exchange, key;
    int priority = 0;
    std::vector<std::pair<std::string, std::string>> deaths; // queue and reason, newest first
};

struct entry {
    message m;
    std::uint64_t sequence = 0;
    std::int64_t expires = never;
    std::uint32_t returns = 0;
    bool redelivered = false;
    int priority = 0;
};

struct consumer {
    int id = 0;
    int channel = 0;
    std::string tag, queue;
    bool no_ack = false;
    int priority = 0;
    std::size_t prefetch = 0;
    std::size_t unacked = 0;
    std::uint64_t last_served = 0;
};

struct settings {
    int owner = -1; // session
    bool auto_delete = false;
    std::size_t max_length = unlimited;
    bool reject = false;
    bool reject_dlx = false;
    std::int64_t ttl = never;
    std::int64_t lease = never;
    int max_priority = 0;
    bool single_active = false;
    std::optional<std::string> dlx, dead_key;
    std::optional<std::uint32_t> delivery_limit;
    friend bool operator==(const settings&, const settings&) = default;
};

struct queue {
    std::string name;
    settings s;
    std::uint64_t incarnation = 0;
    std::uint64_t last_sequence = 0;
    std::vector<entry> entries;
    std::vector<int> consumers; // as they came
    std::vector<int> line;      // as they are served
    int active = 0;
    std::int64_t last_use = 0;
};

struct unacked {
    std::uint64_t tag = 0;
    entry e;
    std::string queue;
    std::uint64_t incarnation = 0;
    int consumer = 0; // 0: of get
    bool pending = false;
    int how = 0;
};

struct published {
    message m;
    std::int64_t ttl = never;
    bool mandatory = false;
    std::vector<std::string> queues;
};

struct channel {
    int session = 0;
    bool open = false;
    bool paused = false;
    std::size_t capacity = 0;
    std::size_t limit = 0, prefetch = 0, outstanding = 0;
    std::uint64_t last_tag = 0;
    std::vector<unacked> unacked_list;
    std::vector<int> consumers;
    bool confirms = false, tx = false;
    std::uint64_t last_published = 0;
    std::vector<published> tx_publishes;
    std::vector<std::uint64_t> tx_tags;
    std::vector<std::string> events;
};

struct binding {
    std::string source, destination, key;
    bool to_queue = true;
    std::uint64_t serial = 0;
};

class broker {
public:
    struct exchange {
        std::string name, type;
        std::optional<std::string> alternate;
    };

    std::vector<channel> channels;
    std::vector<queue> queues;
    std::vector<exchange> exchanges;
    std::vector<binding> bindings; // of each exchange and key in the order of their router
    std::vector<consumer> all_consumers;
    std::int64_t now = 0;

    queue* find(const std::string& name)
    {
        for (queue& q : queues)
            if (q.name == name)
                return &q;
        return nullptr;
    }
    queue* find(const std::string& name, std::uint64_t incarnation)
    {
        queue* q = find(name);
        return q != nullptr && q->incarnation == incarnation ? q : nullptr;
    }
    consumer* find_consumer(int id)
    {
        for (consumer& c : all_consumers)
            if (c.id == id)
                return &c;
        return nullptr;
    }
    exchange* find_exchange(const std::string& name)
    {
        for (exchange& x : exchanges)
            if (x.name == name)
                return &x;
        return nullptr;
    }

    void declare(const std::string& name, const settings& s)
    {
        queue q;
        q.name = name;
        q.s = s;
        q.incarnation = ++incarnations_;
        q.last_use = now;
        queues.push_back(q);
    }
    void bind(const binding& b)
    {
        if (bound(b) == bindings.end())
            (bindings.push_back(b), bindings.back().serial = ++serials_);
    }
    bool is_bound(const binding& b) { return bound(b) != bindings.end(); }
    void unbind(const binding& b)
    {
        const auto at = bound(b);
        if (at != bindings.end())
            unbind(static_cast<std::size_t>(at - bindings.begin()));
    }

    void publish(int ch, const std::string& exchange_name, const std::string& key,
                 const std::string& body, int priority, std::int64_t ttl, bool mandatory)
    {
        message m{body, exchange_name, key, priority, {}};
        channel& c = channels[static_cast<std::size_t>(ch)];
        const std::vector<std::string> to = route(exchange_name, key);
        if (c.tx) {
            c.tx_publishes.push_back({m, ttl, mandatory, to});
            return;
        }
        const bool taken = deliver_to(ch, {m, ttl, mandatory, to});
        if (c.confirms)
            c.events.push_back((taken ? "ack " : "nack ") + std::to_string(++c.last_published));
        finish();
    }
    void consume(int ch, const std::string& queue_name, const std::string& tag, bool no_ack,
                 int priority)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        all_consumers.push_back(
            {++consumers_made_, ch, tag, queue_name, no_ack, priority, c.prefetch, 0, 0});
        const int id = consumers_made_;
        c.consumers.push_back(id);
        queue& q = *find(queue_name);
        q.consumers.push_back(id);
        if (q.s.single_active) {
            if (q.active == 0)
                q.active = id;
        }
        wake(id);
        finish();
    }
    void cancel(int ch, const std::string& tag)
    {
        for (const int id : std::vector<int>(channels[static_cast<std::size_t>(ch)].consumers))
            if (find_consumer(id)->tag == tag)
                end_consumer(id);
        finish();
    }
    std::string get(int ch, const std::string& queue_name, bool no_ack)
    {
        queue& q = *find(queue_name);
        q.last_use = now;
        if (q.entries.empty())
            return "-";
        entry e = q.entries.front();
        q.entries.erase(q.entries.begin());
        drop_expired(q);
        channel& c = channels[static_cast<std::size_t>(ch)];
        std::string text = e.m.body + " #" + std::to_string(++c.last_tag) +
                           (e.redelivered ? "!" : "") + " " + std::to_string(q.entries.size());
        if (!no_ack)
            c.unacked_list.push_back({c.last_tag, e, q.name, q.incarnation, 0, false, 0});
        finish();
        return text;
    }
    /// 0 ack, 1 requeue, 2 discard. False: unknown tag.
    bool settle(int ch, std::uint64_t tag, bool multiple, int how)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        std::vector<std::uint64_t> tags;
        if (tag == 0 && multiple) {
            for (const unacked& u : c.unacked_list)
                if (!u.pending)
                    tags.push_back(u.tag);
        } else {
            const auto at =
                std::find_if(c.unacked_list.begin(), c.unacked_list.end(),
                             [&](const unacked& u) { return u.tag == tag && !u.pending; });
            if (at == c.unacked_list.end())
                return false;
            for (const unacked& u : c.unacked_list)
                if (!u.pending && (multiple ? u.tag <= tag : u.tag == tag))
                    tags.push_back(u.tag);
        }
        if (c.tx) {
            for (unacked& u : c.unacked_list)
                if (std::find(tags.begin(), tags.end(), u.tag) != tags.end()) {
                    u.pending = true;
                    u.how = how;
                    c.tx_tags.push_back(u.tag);
                }
            return true;
        }
        const bool was_full = c.limit != 0 && c.outstanding >= c.limit;
        if (how == 1)
            std::reverse(tags.begin(), tags.end());
        for (const std::uint64_t t : tags)
            finish_one(ch, t, how);
        after_settling(ch, was_full);
        finish();
        return true;
    }
    void recover(int ch) { settle_without_tx(ch); }
    bool commit(int ch)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        bool taken = true;
        for (const published& p : std::exchange(c.tx_publishes, {}))
            taken = deliver_to(ch, p) && taken;
        const bool was_full = c.limit != 0 && c.outstanding >= c.limit;
        const std::vector<std::uint64_t> tags = std::exchange(c.tx_tags, {});
        for (const std::uint64_t t : tags)
            if (how_of(c, t) != 1)
                finish_one(ch, t, how_of(c, t));
        for (std::size_t i = tags.size(); i-- > 0;)
            if (std::any_of(c.unacked_list.begin(), c.unacked_list.end(),
                            [&](const unacked& u) { return u.tag == tags[i]; }))
                finish_one(ch, tags[i], 1);
        after_settling(ch, was_full);
        finish();
        return taken;
    }
    void rollback(int ch)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        c.tx_publishes.clear();
        c.tx_tags.clear();
        for (unacked& u : c.unacked_list)
            u.pending = false;
    }
    void set_prefetch(int ch, std::size_t n, bool global)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        if (!global) {
            c.prefetch = n;
            if (c.limit == 0)
                return;
        }
        c.limit = global ? n : 0; // the other kind forgets it
        wake_all(ch);
        finish();
    }
    void resume(int ch, std::size_t capacity)
    {
        channels[static_cast<std::size_t>(ch)].paused = false;
        channels[static_cast<std::size_t>(ch)].capacity = capacity;
        wake_all(ch);
        finish();
    }
    std::size_t purge(const std::string& name)
    {
        return std::exchange(find(name)->entries, {}).size();
    }
    void remove_queue(const std::string& name)
    {
        for (;;) { // the newest first
            std::size_t newest = bindings.size();
            for (std::size_t i = 0; i < bindings.size(); ++i)
                if (bindings[i].to_queue && bindings[i].destination == name &&
                    (newest == bindings.size() || bindings[i].serial > bindings[newest].serial))
                    newest = i;
            if (newest == bindings.size())
                break;
            unbind(newest);
        }
        queue q = *find(name);
        queues.erase(std::find_if(queues.begin(), queues.end(),
                                  [&](const queue& other) { return other.name == name; }));
        for (const int id : q.consumers) {
            consumer& c = *find_consumer(id);
            channel& ch = channels[static_cast<std::size_t>(c.channel)];
            ch.events.push_back("cancelled " + c.tag);
            ch.consumers.erase(std::find(ch.consumers.begin(), ch.consumers.end(), id));
        }
    }
    void close(int ch)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        c.paused = true;
        rollback(ch);
        for (std::size_t i = c.unacked_list.size(); i-- > 0;)
            finish_one(ch, c.unacked_list[i].tag, 1);
        to_wake_.clear();
        for (const std::string& name : touched_) // what expired meanwhile is no successor's
            if (queue* q = find(name))
                drop_expired(*q);
        while (!c.consumers.empty())
            end_consumer(c.consumers.back());
        after_settling(ch, false);
        finish();
        channels[static_cast<std::size_t>(ch)] = channel();
    }
    /// When something is due next, and how many queues have something then.
    std::pair<std::int64_t, int> next_due()
    {
        std::int64_t first = never;
        int queues_due = 0;
        for (queue& q : queues) {
            std::int64_t due = never;
            if (q.consumers.empty() && q.s.lease != never)
                due = q.last_use + q.s.lease;
            if (!q.entries.empty())
                due = std::min(due, q.entries.front().expires);
            if (due < first) {
                first = due;
                queues_due = 0;
            }
            queues_due += due == first ? 1 : 0;
        }
        return {first, queues_due};
    }
    void tick(std::int64_t t)
    {
        now = t;
        // Leases and messages in the order of their times would be the same: they don't meet.
        for (queue& q : queues)
            drop_expired(q);
        for (std::size_t i = queues.size(); i-- > 0;)
            if (queues[i].consumers.empty() && queues[i].s.lease != never &&
                queues[i].last_use + queues[i].s.lease <= now)
                remove_queue(queues[i].name);
        finish();
    }

private:
    struct dead {
        message m;
        settings s;
        std::string queue, reason;
    };

    static int how_of(const channel& c, std::uint64_t tag)
    {
        for (const unacked& u : c.unacked_list)
            if (u.tag == tag)
                return u.how;
        return 0;
    }
    void settle_without_tx(int ch)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        const bool was_full = c.limit != 0 && c.outstanding >= c.limit;
        std::vector<std::uint64_t> tags;
        for (const unacked& u : c.unacked_list)
            if (!u.pending)
                tags.push_back(u.tag);
        std::reverse(tags.begin(), tags.end());
        for (const std::uint64_t t : tags)
            finish_one(ch, t, 1);
        after_settling(ch, was_full);
        finish();
    }
    std::vector<binding>::iterator bound(const binding& b)
    {
        return std::find_if(bindings.begin(), bindings.end(), [&](const binding& o) {
            return o.source == b.source && o.destination == b.destination && o.key == b.key &&
                   o.to_queue == b.to_queue;
        });
    }
    /// The last one of the same list takes the place, as in the routers.
    void unbind(std::size_t i)
    {
        const auto same_list = [&](const binding& o) {
            return o.source == bindings[i].source &&
                   (find_exchange(o.source)->type == "fanout" || o.key == bindings[i].key);
        };
        std::size_t last = i;
        for (std::size_t j = i; j < bindings.size(); ++j)
            if (same_list(bindings[j]))
                last = j;
        bindings[i] = bindings[last];
        bindings.erase(bindings.begin() + static_cast<std::ptrdiff_t>(last));
    }
    std::vector<std::string> route(const std::string& exchange_name, const std::string& key)
    {
        std::vector<std::string> work{exchange_name}, reached;
        const auto add = [](std::vector<std::string>& list, const std::string& name) {
            if (std::find(list.begin(), list.end(), name) == list.end())
                list.push_back(name);
        };
        for (std::size_t i = 0; i < work.size(); ++i) {
            const exchange x = *find_exchange(work[i]);
            bool hit = false;
            if (x.name.empty()) {
                if (find(key) != nullptr) {
                    add(reached, key);
                    hit = true;
                }
            } else {
                for (const binding& b : bindings)
                    if (b.source == x.name && (x.type == "fanout" || b.key == key)) {
                        add(b.to_queue ? reached : work, b.destination);
                        hit = true;
                    }
            }
            if (!hit && x.alternate && find_exchange(*x.alternate) != nullptr)
                add(work, *x.alternate);
        }
        return reached;
    }
    bool deliver_to(int ch, const published& p)
    {
        bool taken = true, reached = false;
        // Names are looked up at the commit; the default exchange routes to the name itself.
        for (const std::string& name : p.m.exchange.empty() ? route("", p.m.key) : p.queues)
            if (queue* q = find(name)) {
                reached = true;
                taken = offer(*q, p.m, p.ttl) && taken;
            }
        if (!reached && p.mandatory)
            channels[static_cast<std::size_t>(ch)].events.push_back("returned " + p.m.body);
        return taken;
    }
    bool offer(queue& q, const message& m, std::int64_t ttl)
    {
        if (q.s.reject && q.entries.size() >= q.s.max_length) {
            if (q.s.reject_dlx)
                bury(q, m, "maxlen");
            return false;
        }
        entry e;
        e.m = m;
        e.sequence = ++q.last_sequence;
        e.priority = std::min(m.priority, q.s.max_priority);
        const std::int64_t life = std::min(ttl, q.s.ttl);
        if (life != never)
            e.expires = now + life;
        if (q.entries.empty()) {
            if (const int id = next_consumer(q)) {
                serve(q, id, e);
                return true;
            }
        }
        put(q, e);
        drop_over(q);
        drop_expired(q);
        return true;
    }
    static void put(queue& q, const entry& e)
    {
        const auto after = std::find_if(q.entries.begin(), q.entries.end(), [&](const entry& o) {
            return o.priority < e.priority || (o.priority == e.priority && o.sequence > e.sequence);
        });
        q.entries.insert(after, e);
    }
    void drop_over(queue& q)
    {
        while (!q.s.reject && q.entries.size() > q.s.max_length) {
            const entry e = q.entries.front();
            q.entries.erase(q.entries.begin());
            bury(q, e.m, "maxlen");
        }
    }
    /// Those at the head: one of a low priority waits for those before it.
    void drop_expired(queue& q)
    {
        while (!q.entries.empty() && q.entries.front().expires <= now) {
            const message m = q.entries.front().m;
            q.entries.erase(q.entries.begin());
            bury(q, m, "expired");
        }
    }
    void bury(const queue& q, const message& m, const std::string& reason)
    {
        if (q.s.dlx)
            dead_.push_back({m, q.s, q.name, reason});
    }
    bool takes(const consumer& c)
    {
        const channel& ch = channels[static_cast<std::size_t>(c.channel)];
        return !ch.paused && (c.no_ack || ((c.prefetch == 0 || c.unacked < c.prefetch) &&
                                           (ch.limit == 0 || ch.outstanding < ch.limit)));
    }
    void add_to_line(queue& q, int id)
    {
        auto at = q.line.end();
        while (at != q.line.begin() &&
               find_consumer(*(at - 1))->priority < find_consumer(id)->priority)
            --at;
        q.line.insert(at, id);
    }
    int next_consumer(queue& q)
    {
        while (!q.line.empty()) {
            if (takes(*find_consumer(q.line.front())))
                return q.line.front();
            q.line.erase(q.line.begin());
        }
        return 0;
    }
    void serve(queue& q, int id, const entry& e)
    {
        const std::vector<int>::iterator at = std::find(q.line.begin(), q.line.end(), id);
        q.line.erase(at);
        add_to_line(q, id);
        consumer& c = *find_consumer(id);
        channel& ch = channels[static_cast<std::size_t>(c.channel)];
        ch.events.push_back(c.tag + ":" + e.m.body + " #" + std::to_string(++ch.last_tag) +
                            (e.redelivered ? "!" : ""));
        c.last_served = ch.last_tag;
        if (!c.no_ack) {
            ++c.unacked;
            ++ch.outstanding;
            ch.unacked_list.push_back({ch.last_tag, e, q.name, q.incarnation, id, false, 0});
        }
        if (ch.capacity > 0 && --ch.capacity == 0)
            ch.paused = true;
    }
    void drain(queue& q)
    {
        while (!q.entries.empty()) {
            const int id = next_consumer(q);
            if (id == 0)
                return;
            const entry e = q.entries.front();
            q.entries.erase(q.entries.begin());
            drop_expired(q);
            serve(q, id, e);
        }
    }
    void wake(int id)
    {
        if (join_line(id))
            drain(*find(find_consumer(id)->queue));
    }
    bool join_line(int id)
    {
        const consumer& c = *find_consumer(id);
        queue* q = find(c.queue);
        if (q == nullptr ||
            std::find(q->consumers.begin(), q->consumers.end(), id) == q->consumers.end() ||
            (q->s.single_active && q->active != id))
            return false;
        if (std::find(q->line.begin(), q->line.end(), id) == q->line.end() && takes(c))
            add_to_line(*q, id);
        return true;
    }
    void wake_all(int ch)
    {
        std::vector<int>& ids = channels[static_cast<std::size_t>(ch)].consumers;
        const auto was_served_before = [this](int a, int b) { return find_consumer(a)->last_served < find_consumer(b)->last_served; };
        // What std::stable_sort does, whose libstdc++ 12 clang warns of.
        for (auto at = ids.begin(); at != ids.end(); ++at)
            std::rotate(std::upper_bound(ids.begin(), at, *at, was_served_before), at, at + 1);
        for (const int id : ids)
            wake(id);
    }
    void end_consumer(int id)
    {
        const consumer c = *find_consumer(id);
        channel& ch = channels[static_cast<std::size_t>(c.channel)];
        ch.consumers.erase(std::find(ch.consumers.begin(), ch.consumers.end(), id));
        queue& q = *find(c.queue);
        q.consumers.erase(std::find(q.consumers.begin(), q.consumers.end(), id));
        q.line.erase(std::remove(q.line.begin(), q.line.end(), id), q.line.end());
        q.last_use = now;
        if (q.active == id) {
            q.active = 0;
            for (const int next : q.consumers)
                if (q.active == 0 ||
                    find_consumer(next)->priority > find_consumer(q.active)->priority)
                    q.active = next;
        }
        if (q.s.auto_delete && q.consumers.empty())
            remove_queue(q.name);
        else if (q.active != 0)
            wake(q.active);
    }
    void finish_one(int ch, std::uint64_t tag, int how)
    {
        channel& c = channels[static_cast<std::size_t>(ch)];
        const auto at = std::find_if(c.unacked_list.begin(), c.unacked_list.end(),
                                     [&](const unacked& u) { return u.tag == tag; });
        unacked u = *at;
        c.unacked_list.erase(at);
        if (u.consumer != 0) {
            --c.outstanding;
            --find_consumer(u.consumer)->unacked;
            if (std::find(to_wake_.begin(), to_wake_.end(), u.consumer) == to_wake_.end())
                to_wake_.push_back(u.consumer);
        }
        queue* q = find(u.queue, u.incarnation);
        if (q == nullptr)
            return;
        if (how == 2)
            bury(*q, u.e.m, "rejected");
        if (how != 1)
            return;
        if (std::find(touched_.begin(), touched_.end(), q->name) == touched_.end())
            touched_.push_back(q->name);
        u.e.redelivered = true;
        ++u.e.returns;
        if (q->s.delivery_limit && u.e.returns > *q->s.delivery_limit)
            bury(*q, u.e.m, "delivery_limit");
        else
            put(*q, u.e);
    }
    void after_settling(int ch, bool was_full)
    {
        if (!touched_.empty())
            for (const int id : to_wake_)
                join_line(id);
        for (const std::string& name : std::exchange(touched_, {}))
            if (queue* q = find(name)) {
                drop_over(*q);
                drop_expired(*q);
                drain(*q);
            }
        const channel& c = channels[static_cast<std::size_t>(ch)];
        const bool is_free_again = was_full && c.outstanding < c.limit;
        for (const int id : std::exchange(to_wake_, {}))
            if (!is_free_again)
                wake(id);
        if (is_free_again)
            wake_all(ch);
    }
    void finish()
    {
        for (std::size_t i = 0; i < dead_.size(); ++i) {
            dead d = dead_[i];
            if (find_exchange(*d.s.dlx) == nullptr)
                continue;
            message m = d.m;
            const std::pair<std::string, std::string> death{d.queue, d.reason};
            m.deaths.erase(std::remove(m.deaths.begin(), m.deaths.end(), death), m.deaths.end());
            m.deaths.insert(m.deaths.begin(), death);
            m.exchange = *d.s.dlx;
            if (d.s.dead_key)
                m.key = *d.s.dead_key;
            for (const std::string& name : route(m.exchange, m.key))
                if (d.reason == "rejected" || !is_cycle(m, name))
                    static_cast<void>(offer(*find(name), m, never));
        }
        dead_.clear();
    }
    static bool is_cycle(const message& m, const std::string& queue_name)
    {
        for (const auto& [from, reason] : m.deaths) {
            if (reason == "rejected")
                return false;
            if (from == queue_name)
                return true;
        }
        return false;
    }

    std::uint64_t incarnations_ = 0;
    std::uint64_t serials_ = 0;
    int consumers_made_ = 0;
    std::vector<dead> dead_;
    std::vector<int> to_wake_;
    std::vector<std::string> touched_;
};

} // namespace leveret::model
