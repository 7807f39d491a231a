#pragma once

// A hand-written AMQP connection on a blocking socket: the practical limit that a library is held
// against. It gathers what it writes and parses what it read in place, and does nothing else.

#include "measure.hpp"
#include "wire.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace bench {

/// One frame in the read buffer; valid until the next read.
struct frame_view {
    std::uint8_t type = 0;
    std::string_view payload;

    std::uint32_t method() const
    {
        return type == frame_method && payload.size() >= 4 ? load32(payload.data()) : 0;
    }
};

/// One delivery in the read buffer; valid until the next read.
struct delivery_view {
    std::uint64_t tag = 0;
    std::uint16_t flags = 0;
    std::string_view properties; // the values, after the flags
    std::string_view body;
};

class raw_client {
public:
    raw_client(const std::string& host, std::uint16_t port, std::size_t read_size)
        : size_(read_size), in_(new char[read_size])
    {
        connect(host, port);
        handshake();
    }
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;
    ~raw_client() { ::close(fd_); }

    void send_all(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0)
                die("send: %s", std::strerror(errno));
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    /// Writes the parts without joining them; `parts` is used up.
    void send_parts(iovec* parts, std::size_t count)
    {
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = count;
        while (message.msg_iovlen > 0) {
            const auto n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
            if (n <= 0)
                die("sendmsg: %s", std::strerror(errno));
            advance(message, static_cast<std::size_t>(n));
        }
    }

    /// Waits for more octets. What was parsed is dropped first.
    void read_more()
    {
        std::memmove(in_.get(), in_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        const auto n = ::recv(fd_, in_.get() + end_, size_ - end_, 0);
        if (n <= 0)
            die("recv: %s", n == 0 ? "closed" : std::strerror(errno));
        end_ += static_cast<std::size_t>(n);
    }

    /// The next frame if all of it is there.
    bool take_frame(frame_view& out) { return parse_frame(begin_, out); }

    /// The next delivery if all of it is there; nothing is taken otherwise. Its body is one frame.
    bool take_delivery(delivery_view& out)
    {
        auto at = begin_;
        frame_view frame;
        if (!parse_frame(at, frame))
            return false;
        if (frame.method() != id::deliver)
            die("not a delivery: %#x", frame.method());
        const char* p = frame.payload.data() + 4;
        p += 1 + static_cast<std::uint8_t>(*p); // the consumer tag; the rest isn't looked at
        out.tag = load64(p);

        if (!parse_frame(at, frame))
            return false;
        if (frame.type != frame_content || frame.payload.size() < 14)
            die("not a content header");
        const auto body_size = load64(frame.payload.data() + 4);
        out.flags = load16(frame.payload.data() + 12);
        out.properties = frame.payload.substr(14);

        out.body = {};
        if (body_size > 0) {
            if (!parse_frame(at, frame))
                return false;
            if (frame.type != frame_body || frame.payload.size() != body_size)
                die("not the body");
            out.body = frame.payload;
        }
        begin_ = at;
        return true;
    }

    /// Sends a request and waits for its answer, whose arguments it returns.
    std::string_view call(const std::string& request, std::uint32_t answer)
    {
        send_all(request);
        frame_view frame;
        while (!take_frame(frame)) {
            read_more();
        }
        if (frame.method() != answer)
            die("%#x came instead of %#x", frame.method(), answer);
        return frame.payload.substr(4);
    }

private:
    static void advance(msghdr& message, std::size_t n)
    {
        while (message.msg_iovlen > 0 && n >= message.msg_iov->iov_len) {
            n -= message.msg_iov->iov_len;
            ++message.msg_iov;
            --message.msg_iovlen;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = static_cast<char*>(message.msg_iov->iov_base) + n;
            message.msg_iov->iov_len -= n;
        }
    }

    /// Parses the frame at `at` and moves `at` behind it.
    bool parse_frame(std::size_t& at, frame_view& out) const
    {
        const char* p = in_.get() + at;
        if (end_ - at < frame_overhead)
            return false;
        const std::size_t size = load32(p + 3);
        if (end_ - at < size + frame_overhead) {
            if (size > size_ - frame_overhead)
                die("a frame larger than the buffer");
            return false;
        }
        if (p[frame_header_size + size] != frame_end)
            die("no frame end");
        out.type = static_cast<std::uint8_t>(*p);
        out.payload = {p + frame_header_size, size};
        at += size + frame_overhead;
        return true;
    }

    void connect(const std::string& host, std::uint16_t port)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1)
            die("not an IPv4 address");
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            die("connect: %s", std::strerror(errno));
        }
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    void handshake()
    {
        call(std::string("AMQP\0\0\x09\x01", 8), id::start);
        std::string out;
        {
            frame f(out, 0, id::start_ok);
            put_long(out, ""); // client properties
            put_short(out, "PLAIN");
            put_long(out, std::string_view("\0guest\0guest", 12));
            put_short(out, "en_US");
        }
        call(out, id::tune);
        out.clear();
        {
            frame f(out, 0, id::tune_ok);
            put16(out, 2047);
            put32(out, default_frame_max);
            put16(out, 0);
        }
        {
            frame f(out, 0, id::open);
            put_short(out, "/");
            put16(out, 0); // two reserved fields
        }
        call(out, id::open_ok);
        out.clear();
        {
            frame f(out, 1, id::channel_open);
            put_short(out, "");
        }
        call(out, id::channel_open_ok);
    }

    int fd_ = -1;
    std::size_t size_;
    std::size_t begin_ = 0; // parsed up to here
    std::size_t end_ = 0;   // read up to here
    std::unique_ptr<char[]> in_;
};

} // namespace bench
