#include "session.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

namespace {

constexpr std::size_t read_size = 1 << 20;
// A server that is faster than its client sleeps after every read, and each wake-up is then paid
// by the client's send(), several microseconds on a virtual machine: the client would be measured
// in one of two modes by chance. So a stream of large writes is left to gather. A client that
// writes little at a time never gets there and pays for what it does.
constexpr int bulk_from = 64 * 1024;
constexpr int bulk_wait = 512 * 1024;

constexpr std::string_view protocol_header("AMQP\0\0\x09\x01", 8);

/// Requests that need nothing but their answer: what stands before the bits, which bit is
/// no-wait, and whether the answer counts messages (always zero).
struct plain_method {
    std::uint32_t request;
    std::uint32_t reply;
    bool has_ticket;
    std::uint8_t strings;
    std::int8_t nowait_bit; // -1: has none
    bool counts;
};

constexpr plain_method plain_methods[] = {
    {method(40, 10), method(40, 11), true, 2, 4, false},     // exchange.declare
    {method(40, 20), method(40, 21), true, 1, 1, false},     // exchange.delete
    {method(40, 30), method(40, 31), true, 3, 0, false},     // exchange.bind
    {method(40, 40), method(40, 51), true, 3, 0, false},     // exchange.unbind
    {method(50, 20), method(50, 21), true, 3, 0, false},     // queue.bind
    {method(50, 50), method(50, 51), true, 3, -1, false},    // queue.unbind
    {method(50, 30), method(50, 31), true, 1, 0, true},      // queue.purge
    {method(50, 40), method(50, 41), true, 1, 2, true},      // queue.delete
    {method(60, 110), method(60, 111), false, 0, -1, false}, // basic.recover
    {method(90, 10), method(90, 11), false, 0, -1, false},   // tx.select
    {method(90, 20), method(90, 21), false, 0, -1, false},   // tx.commit
    {method(90, 30), method(90, 31), false, 0, -1, false},   // tx.rollback
};

} // namespace

session::session(int fd, const settings& options)
    // One incomplete frame may stand before the next read.
    : fd_(fd), options_(options), in_(new char[read_size + default_frame_max])
{
}

session::~session() { ::close(fd_); }

bool session::readable()
{
    const auto n = ::recv(fd_, in_.get() + have_, read_size, 0);
    if (n <= 0) {
        expect_bulk(false);
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    expect_bulk(n >= bulk_from && !answers_);
    const char* end = in_.get() + have_ + n;
    const char* rest = walk(greet(in_.get(), end), end);
    have_ = static_cast<std::size_t>(end - rest);
    std::memmove(in_.get(), rest, have_);
    send_confirms();
    return flush();
}

void session::expect_bulk(bool bulk)
{
    if (bulk != is_bulk_) {
        is_bulk_ = bulk;
        const int least = bulk ? bulk_wait : 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
    }
}

bool session::writable() { return flush(); }

bool session::tick()
{
    if (stage_ != stage::open || heartbeat_ == 0 || ++quiet_seconds_ * 2 < heartbeat_) {
        return true;
    }
    frame(out_, frame_beat, 0);
    return flush();
}

const char* session::greet(const char* p, const char* end)
{
    if (stage_ != stage::greeting || end - p < 8) {
        return p;
    }
    if (std::string_view(p, 8) != protocol_header) {
        out_ += protocol_header;
        stage_ = stage::over;
        return end;
    }
    stage_ = stage::open;
    send_start();
    return p + 8;
}

const char* session::walk(const char* p, const char* end)
{
    while (end - p >= static_cast<std::ptrdiff_t>(frame_overhead) && stage_ != stage::greeting) {
        const std::size_t size = load32(p + 3);
        if (size > frame_max_ - frame_overhead) {
            fail(501, "frame too large");
            return end;
        }
        if (static_cast<std::size_t>(end - p) < size + frame_overhead) {
            break;
        }
        if (p[frame_header_size + size] != frame_end) {
            fail(501, "no frame end");
            return end;
        }
        on_frame(static_cast<std::uint8_t>(*p), load16(p + 1), {p + frame_header_size, size});
        p += size + frame_overhead;
    }
    return p;
}

void session::on_frame(std::uint8_t type, std::uint16_t number, std::string_view payload)
{
    if (type == frame_method && payload.size() >= 4) {
        on_method(number, payload);
    } else if (type == frame_content) {
        on_content_header(number, payload);
    } else if (type == frame_body) {
        on_body(number, payload);
    } else if (type != frame_beat) {
        fail(501, "unexpected frame");
    }
}

void session::on_method(std::uint16_t number, std::string_view payload)
{
    const auto id = load32(payload.data());
    const cursor args(payload.substr(4));
    if (number == 0) {
        on_connection_method(id, args);
    } else if (stage_ != stage::open) {
        return; // a closing connection takes nothing more
    } else if (id == id::channel_open) {
        open_channel(number);
    } else if (open_channel_at(number) == nullptr) {
        fail(504, "channel is not open");
    } else {
        on_channel_method(number, id, args);
    }
}

channel_state* session::open_channel_at(std::uint16_t number)
{
    const bool is_open = number < channels_.size() && channels_[number].is_open;
    return is_open ? &channels_[number] : nullptr;
}

void session::on_content_header(std::uint16_t number, std::string_view payload)
{
    auto* channel = open_channel_at(number);
    if (stage_ != stage::open) {
        return;
    }
    if (channel == nullptr || channel->content.at != incoming::stage::header ||
        payload.size() < 14) {
        return fail(505, "unexpected content header");
    }
    auto& content = channel->content;
    content.at = incoming::stage::body;
    cursor fields(payload.substr(4));
    content.left = fields.take64();
    const auto flags = fields.take16();
    content.echo = content.echo || (flags & has_reply_to) != 0;
    if (content.echo) {
        // In the order of their bits, as far as the two that an echo needs.
        if (flags & has_content_type)
            fields.take_short();
        if (flags & has_content_encoding)
            fields.take_short();
        if (flags & has_headers)
            fields.take_long();
        if (flags & has_delivery_mode)
            fields.take8();
        if (flags & has_priority)
            fields.take8();
        content.correlation_id = flags & has_correlation_id ? fields.take_short() : "";
        content.target = flags & has_reply_to ? fields.take_short() : "echo";
        content.body.clear();
    }
    if (fields.failed()) {
        return fail(502, "broken properties");
    }
    if (content.left == 0) {
        finish_publish(number, *channel);
    }
}

void session::on_body(std::uint16_t number, std::string_view payload)
{
    auto* channel = open_channel_at(number);
    if (stage_ != stage::open) {
        return;
    }
    if (channel == nullptr || channel->content.at != incoming::stage::body ||
        payload.size() > channel->content.left) {
        return fail(505, "unexpected content body");
    }
    auto& content = channel->content;
    content.left -= payload.size();
    if (content.echo) {
        content.body += payload;
    }
    if (content.left == 0) {
        finish_publish(number, *channel);
    }
}

void session::finish_publish(std::uint16_t number, channel_state& channel)
{
    channel.content.at = incoming::stage::none;
    if (channel.content.echo) {
        deliver_echo(channel.content);
    }
    if (channel.confirms) {
        ++channel.published;
        if (!channel.acks_due) {
            channel.acks_due = true;
            acks_due_.push_back(number);
        }
    }
}

void session::deliver_echo(const incoming& content)
{
    const auto to = std::find_if(consumers_.begin(), consumers_.end(),
                                 [&](const consumer& c) { return c.queue == content.target; });
    if (to == consumers_.end()) {
        return; // as a broker would with a reply queue that has gone
    }
    auto& window = channels_[to->channel].window;
    {
        frame f(out_, to->channel, id::deliver);
        put_short(out_, to->tag);
        put64(out_, window.next_tag());
        put8(out_, 0); // not redelivered
        put_short(out_, "");
        put_short(out_, to->queue);
    }
    window.sent(1);
    std::string properties;
    put16(properties, has_correlation_id);
    put_short(properties, content.correlation_id);
    put_content(out_, to->channel, properties, content.body, frame_max_);
}

void session::send_confirms()
{
    for (const auto number : acks_due_) {
        auto& channel = channels_[number];
        channel.acks_due = false;
        // A channel closed in the same read has nothing left to confirm.
        while (channel.is_open && channel.confirmed < channel.published) {
            channel.confirmed = options_.ack_each ? channel.confirmed + 1 : channel.published;
            frame f(out_, number, id::ack);
            put64(out_, channel.confirmed);
            put8(out_, options_.ack_each ? 0 : 1);
        }
    }
    acks_due_.clear();
}

bool session::answer_plainly(std::uint16_t number, std::uint32_t id, cursor args)
{
    const auto row = std::find_if(std::begin(plain_methods), std::end(plain_methods),
                                  [&](const plain_method& m) { return m.request == id; });
    if (row == std::end(plain_methods)) {
        return false;
    }
    if (row->has_ticket)
        args.take16();
    for (int i = 0; i < row->strings; ++i) {
        args.take_short();
    }
    if (row->nowait_bit >= 0 && (args.take8() >> row->nowait_bit & 1) != 0) {
        return true;
    }
    frame f(out_, number, row->reply);
    if (row->counts)
        put32(out_, 0);
    return true;
}

bool session::send_some(std::string_view& bytes)
{
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    quiet_seconds_ = 0;
    bytes.remove_prefix(static_cast<std::size_t>(n));
    return true;
}

bool session::next_batch()
{
    for (std::size_t i = 0; i < consumers_.size() && stage_ == stage::open; ++i) {
        auto& to = consumers_[turn_++ % consumers_.size()];
        if (to.source == nullptr) {
            continue;
        }
        auto& window = channels_[to.channel].window;
        std::uint64_t count = 0;
        const auto credit = to.no_ack ? endless : window.credit();
        sending_ = to.source->next(window.next_tag(), credit, count);
        if (count > 0) {
            window.sent(count);
            sending_from_ = to.source;
            return true;
        }
    }
    return false;
}

bool session::flush()
{
    // A bounded number of batches, so that a source cannot keep acks and other clients waiting.
    for (int batches = 0; batches < 8;) {
        const bool in_batch = !sending_.empty();
        if (!in_batch && out_.empty()) {
            if (stage_ == stage::over) {
                return false;
            }
            more_ = next_batch();
            if (!more_) {
                return true;
            }
            ++batches;
            continue;
        }
        std::string_view rest = in_batch ? sending_ : std::string_view(out_).substr(out_sent_);
        if (!send_some(rest)) {
            return false;
        }
        if (in_batch) {
            sending_ = rest;
        } else if (out_sent_ = out_.size() - rest.size(); rest.empty()) {
            out_.clear();
            out_sent_ = 0;
        }
        if (!rest.empty()) {
            more_ = true;
            return true;
        }
    }
    more_ = true;
    return true;
}

} // namespace bench
