// An AMQP server on a thread and sockets of its own that swallows and pours out messages as fast as it
// can, in constant memory: for tests of what millions of messages do to the client.
#pragma once

#include "support/amqp_frames.hpp"

#include <leveret/wire/method.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace leveret::test {

/// Serves one client. Publishes are counted and, on a confirm-mode channel, acknowledged once for each
/// read; a consumer gets the same message without end, but no more than `window` unacknowledged ones if
/// it acknowledges.
class flood_server {
public:
    static constexpr std::uint64_t window = 1000;

    /// `body` and `p` are those of the messages that consumers get.
    explicit flood_server(std::string body = {}, properties p = {})
        : body_(std::move(body)), properties_(std::move(p)), listener_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, any, size) != 0 || ::listen(listener_, 1) != 0 ||
            ::getsockname(listener_, any, &size) != 0)
            throw std::runtime_error("flood_server: no port");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    flood_server(const flood_server&) = delete;
    flood_server& operator=(const flood_server&) = delete;
    ~flood_server()
    {
        ::shutdown(listener_, SHUT_RDWR); // in case nobody came
        thread_.join();
        ::close(listener_);
    }

    [[nodiscard]] std::string url() const
    {
        return "amqp://guest:guest@127.0.0.1:" + std::to_string(port_) + "/";
    }
    [[nodiscard]] std::uint64_t published() const noexcept { return published_; }
    /// Acknowledged by the consumer.
    [[nodiscard]] std::uint64_t acked() const noexcept { return acked_; }

private:
    void run()
    {
        fd_ = ::accept(listener_, nullptr, nullptr);
        if (fd_ < 0)
            return;
        ::fcntl(fd_, F_SETFL, O_NONBLOCK);
        input_.resize(256 * 1024);
        while (turn()) {
        }
        ::close(fd_);
    }
    bool turn()
    {
        if (written_ == output_.size())
            pour();
        pollfd waits{fd_, POLLIN, 0};
        if (written_ != output_.size())
            waits.events |= POLLOUT;
        if (::poll(&waits, 1, -1) < 0 && errno != EINTR)
            return false;
        if ((waits.revents & ~POLLOUT) != 0 && !receive())
            return false;
        if ((waits.revents & POLLOUT) == 0)
            return true;
        const ssize_t n =
            ::send(fd_, output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
        written_ += n > 0 ? static_cast<std::size_t>(n) : 0;
        return n > 0 || errno == EAGAIN;
    }
    bool receive()
    {
        const ssize_t n = ::recv(fd_, input_.data() + filled_, input_.size() - filled_, 0);
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        filled_ += static_cast<std::size_t>(n);
        std::string_view rest(input_.data(), filled_);
        sent_frame f;
        for (;;) {
            const std::size_t size = rest.empty() ? 0 : front_frame(rest, f);
            if (size == 0)
                break;
            take(f);
            rest.remove_prefix(size);
        }
        std::memmove(input_.data(), rest.data(), rest.size());
        filled_ = rest.size();
        if (confirms_ && published_ != confirmed_) {
            wire::basic::ack m;
            m.delivery_tag = confirmed_ = published_;
            m.multiple = true;
            send(frame(1, m));
        }
        return true;
    }
    void take(const sent_frame& f)
    {
        if (f.is_protocol_header)
            return send(start_frame());
        if (f.type == wire::frame_type::body) {
            body_left_ -= f.payload.size();
            published_ += body_left_ == 0;
            return;
        }
        if (f.type == wire::frame_type::header) {
            wire::reader in(f.payload);
            static_cast<void>(in.u32());
            body_left_ = in.u64();
            published_ += body_left_ == 0;
            return;
        }
        if (f.type != wire::frame_type::method || f.method() == wire::basic::publish::id)
            return;
        if (f.method() == wire::basic::ack::id) {
            const auto m = f.as<wire::basic::ack>();
            acked_ = m.multiple ? m.delivery_tag : acked_ + 1;
        } else if (f.method() == wire::basic::consume::id) {
            start_pouring(f.as<wire::basic::consume>());
        } else {
            answer<wire::connection::start_ok>(f, tune_frame());
            answer<wire::connection::open>(f, frame(0, wire::connection::open_ok{}));
            answer<wire::channel::open>(f, frame(1, wire::channel::open_ok{}));
            answer<wire::basic::qos>(f, frame(1, wire::basic::qos_ok{}));
            answer<wire::confirm::select>(f, frame(1, wire::confirm::select_ok{}));
            answer<wire::connection::close>(f, frame(0, wire::connection::close_ok{}));
            confirms_ = confirms_ || f.method() == wire::confirm::select::id;
            pours_ = pours_ && f.method() != wire::connection::close::id;
        }
    }
    template <wire::method Request>
    void answer(const sent_frame& f, std::string bytes)
    {
        if (f.method() == Request::id)
            send(std::move(bytes));
    }
    void send(std::string bytes)
    {
        output_.erase(0, std::exchange(written_, 0));
        output_ += bytes;
    }

    void start_pouring(const wire::basic::consume& m)
    {
        wire::basic::consume_ok ok;
        ok.consumer_tag = m.consumer_tag;
        send(frame(1, ok));
        const std::string one = delivery_frames(1, m.consumer_tag, 0, body_, properties_);
        message_size_ = one.size();
        tag_at_ = wire::frame_header_size + 4 + 1 + m.consumer_tag.size();
        for (std::uint64_t i = 0; i < window; ++i)
            batch_ += one;
        no_ack_ = m.no_ack;
        pours_ = true;
    }
    /// The next batch of deliveries.
    void pour()
    {
        const std::uint64_t unsettled = no_ack_ ? 0 : poured_ - acked_;
        const std::uint64_t count = pours_ ? window - std::min(unsettled, window) : 0;
        if (count == 0)
            return;
        output_.assign(batch_, 0, static_cast<std::size_t>(count) * message_size_);
        written_ = 0;
        for (std::size_t at = tag_at_; at < output_.size(); at += message_size_) {
            wire::writer out(output_.data() + at, 8);
            out.u64(++poured_);
        }
    }

    std::string body_;
    properties properties_;
    int listener_;
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::string input_;
    std::size_t filled_ = 0;
    std::string output_;
    std::size_t written_ = 0;
    std::uint64_t body_left_ = 0;
    std::uint64_t confirmed_ = 0;
    bool confirms_ = false;
    std::string batch_;
    std::size_t message_size_ = 0;
    std::size_t tag_at_ = 0;
    std::uint64_t poured_ = 0;
    bool no_ack_ = false;
    bool pours_ = false;
    std::atomic<std::uint64_t> published_ = 0;
    std::atomic<std::uint64_t> acked_ = 0;
    std::thread thread_;
};

} // namespace leveret::test
