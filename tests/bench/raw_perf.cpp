// raw-perf: the benchmark's work done by hand on a socket, the practical limit for any client.
// Writes are gathered into one send() and every read is used up before the next.

#include "raw_client.hpp"

namespace {

using bench::die;
using bench::job;
using bench::outcome;

constexpr std::size_t write_size = 64 * 1024;

/// A publish, encoded once but for what varies: everything before the body's octets.
std::string publish_head(const job& wanted, std::string_view properties)
{
    std::string out;
    {
        bench::frame f(out, 1, bench::id::publish);
        bench::put16(out, 0);
        bench::put_short(out, "");
        bench::put_short(out, wanted.queue);
        bench::put8(out, 0);
    }
    bench::put_content(out, 1, properties, std::string(wanted.size, 'x'), bench::default_frame_max);
    return out.substr(0, out.size() - wanted.size - 1);
}

/// Walks property values as a client that hands them to its user has to; the sum of their sizes
/// keeps the compiler from leaving it out.
std::size_t walk_properties(std::uint16_t flags, std::string_view values)
{
    bench::cursor at(values);
    std::size_t sum = 0;
    if (flags & bench::has_content_type)
        sum += at.take_short().size();
    if (flags & bench::has_content_encoding)
        sum += at.take_short().size();
    if (flags & bench::has_headers) {
        const auto table = at.take_long();
        bench::cursor in(table);
        for (std::size_t entries = 0; entries < 4; ++entries) {
            sum += in.take_short().size();
            switch (in.take8()) {
            case 'I': sum += in.take32(); break;
            case 'S': sum += in.take_long().size(); break;
            case 't': sum += in.take8(); break;
            case 'l': sum += in.take64(); break;
            default: die("a table of other types");
            }
        }
        if (in.failed())
            die("a broken table");
    }
    if (flags & bench::has_delivery_mode)
        sum += at.take8();
    if (flags & bench::has_priority)
        sum += at.take8();
    if (flags & bench::has_correlation_id)
        sum += at.take_short().size();
    if (flags & bench::has_message_id)
        sum += at.take_short().size();
    if (flags & bench::has_timestamp)
        sum += at.take64();
    if (flags & bench::has_app_id)
        sum += at.take_short().size();
    if (at.failed())
        die("broken properties");
    return sum;
}

class client {
public:
    explicit client(const job& wanted)
        : job_(wanted), body_(wanted.size, 'x'),
          // Room for a whole delivery behind the tail of another.
          wire_(wanted.host, wanted.port, std::max(write_size, 4 * wanted.size))
    {
        if (wanted.size > bench::default_frame_max - bench::frame_overhead)
            die("one frame at most");
        if (wanted.size == 0)
            die("an empty body is not a case here");
        head_ =
            publish_head(wanted, wanted.props ? bench::rich_properties() : std::string(2, '\0'));
    }

    outcome run()
    {
        if (job_.mode == "publish")
            return publish();
        if (job_.mode == "publish-confirm")
            return publish_confirm();
        if (job_.mode == "consume")
            return consume();
        return rpc();
    }

private:
    std::size_t message_size() const { return head_.size() + job_.size + 1; }

    void flush()
    {
        wire_.send_all({out_.get(), used_});
        used_ = 0;
        wire_.send_parts(parts_.data(), parts_.size());
        parts_.clear();
    }

    void gather_one()
    {
        parts_.push_back({head_.data(), head_.size()});
        parts_.push_back({body_.data(), body_.size()});
        parts_.push_back({&end_, 1});
        if (parts_.size() >= 3 * job_.gather)
            flush();
    }

    /// Into the buffer, or past it when copying would cost more than a system call.
    void publish_one()
    {
        if (message_size() > write_size / 4) {
            gather_one();
            return;
        }
        if (used_ + message_size() > write_size)
            flush();
        char* p = out_.get() + used_;
        std::memcpy(p, head_.data(), head_.size());
        std::memcpy(p + head_.size(), body_.data(), body_.size());
        p[head_.size() + body_.size()] = bench::frame_end;
        used_ += message_size();
    }

    outcome publish()
    {
        outcome done;
        watch_.start();
        for (; done.published < job_.count; ++done.published) {
            publish_one();
        }
        flush();
        watch_.stop(done);
        return done;
    }

    outcome publish_confirm()
    {
        std::string select;
        {
            bench::frame f(select, 1, bench::id::confirm_select);
            bench::put8(select, 0);
        }
        wire_.call(select, bench::id::confirm_select_ok);
        outcome done;
        watch_.start();
        while (done.confirmed < job_.count) {
            while (done.published < job_.count && done.published - done.confirmed < job_.window) {
                publish_one();
                ++done.published;
            }
            flush();
            wire_.read_more();
            take_acks(done);
        }
        watch_.stop(done);
        return done;
    }

    void take_acks(outcome& done)
    {
        bench::frame_view frame;
        while (wire_.take_frame(frame)) {
            if (frame.method() != bench::id::ack)
                die("not an ack: %#x", frame.method());
            bench::cursor args(frame.payload.substr(4));
            const auto tag = args.take64();
            done.confirmed = args.take8() != 0 ? tag : done.confirmed + 1;
        }
    }

    void start_consuming(const std::string& queue, bool no_ack)
    {
        std::string out;
        {
            bench::frame f(out, 1, bench::id::consume);
            bench::put16(out, 0);
            bench::put_short(out, queue);
            bench::put_short(out, "");
            bench::put8(out, no_ack ? 2 : 0);
            bench::put_long(out, "");
        }
        wire_.call(out, bench::id::consume_ok);
    }

    void limit_prefetch()
    {
        std::string out;
        {
            bench::frame f(out, 1, bench::id::qos);
            bench::put32(out, 0);
            bench::put16(out, static_cast<std::uint16_t>(job_.prefetch));
            bench::put8(out, 0);
        }
        wire_.call(out, bench::id::qos_ok);
    }

    outcome consume()
    {
        if (job_.ack_every != 0)
            limit_prefetch();
        start_consuming(job_.queue, job_.ack_every == 0);
        outcome done;
        watch_.start();
        while (done.consumed < job_.count) {
            take_deliveries(done);
            wire_.send_all(acks_); // all of a read together
            acks_.clear();
            if (done.consumed < job_.count)
                wire_.read_more();
        }
        watch_.stop(done);
        if (seen_ == 0)
            die("nothing was seen");
        return done;
    }

    void take_deliveries(outcome& done)
    {
        bench::delivery_view delivery;
        while (done.consumed < job_.count && wire_.take_delivery(delivery)) {
            if (delivery.body.size() != job_.size)
                die("a body of another size");
            seen_ += delivery.body.size() + walk_properties(delivery.flags, delivery.properties);
            ++done.consumed;
            if (job_.ack_every != 0 && done.consumed % job_.ack_every == 0) {
                bench::frame f(acks_, 1, bench::id::ack);
                bench::put64(acks_, delivery.tag);
                bench::put8(acks_, 1);
            }
        }
    }

    /// The calls differ only in their correlation ids: eight octets that stay in place.
    std::string rpc_head(const std::string& reply_to)
    {
        std::string properties;
        bench::put16(properties, bench::has_correlation_id | bench::has_reply_to);
        bench::put_short(properties, "ID-slot-");
        bench::put_short(properties, reply_to);
        auto head = publish_head(job_, properties);
        id_at_ = head.find("ID-slot-");
        return head;
    }

    void call(std::uint64_t slot, bench::round_trips& trips)
    {
        bench::store64(head_.data() + id_at_, slot);
        trips.sent(slot);
        publish_one();
    }

    outcome rpc()
    {
        std::string declare;
        {
            bench::frame f(declare, 1, bench::id::queue_declare);
            bench::put16(declare, 0);
            bench::put_short(declare, "");
            bench::put8(declare, 12); // exclusive, auto-delete
            bench::put_long(declare, "");
        }
        bench::cursor declared(wire_.call(declare, bench::id::queue_declare_ok));
        const std::string reply_to(declared.take_short());
        start_consuming(reply_to, true);
        head_ = rpc_head(reply_to);

        bench::round_trips trips(job_.in_flight, job_.count);
        outcome done;
        watch_.start();
        while (done.published < job_.in_flight && done.published < job_.count) {
            call(done.published++, trips);
        }
        flush();
        while (trips.done() < job_.count) {
            wire_.read_more();
            take_replies(done, trips);
            flush(); // all next calls of a read together
        }
        watch_.stop(done);
        done.consumed = done.round_trips = trips.done();
        done.rtt_ns = std::move(trips).samples();
        return done;
    }

    void take_replies(outcome& done, bench::round_trips& trips)
    {
        bench::delivery_view reply;
        while (wire_.take_delivery(reply)) {
            bench::cursor at(reply.properties);
            const auto correlation_id = at.take_short();
            if (correlation_id.size() != 8)
                die("not our correlation id");
            const auto slot = bench::load64(correlation_id.data());
            trips.answered(slot);
            if (done.published < job_.count) {
                call(slot, trips);
                ++done.published;
            }
        }
    }

    const job& job_;
    std::string body_;
    std::string head_;
    std::unique_ptr<char[]> out_{new char[write_size]}; // publishes gathered, not yet sent
    std::size_t used_ = 0;
    std::vector<iovec> parts_; // large publishes gathered; the octets stay where they are
    char end_ = bench::frame_end;
    std::string acks_;
    std::size_t id_at_ = 0;
    std::size_t seen_ = 0;
    bench::raw_client wire_;
    bench::stopwatch watch_;
};

} // namespace

int main(int argc, char** argv)
{
    const job wanted = bench::parse_job(argc, argv);
    bench::print_json(client(wanted).run());
}
