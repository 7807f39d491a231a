// amqp-peer: an AMQP 0-9-1 server that only frames, so that a benchmark measures its client.
//
// Publishes are swallowed and, after confirm.select, acknowledged. A consumer of a queue named
// `source[.props][.COUNT][.SIZE]` gets deliveries without end (or COUNT of them). A publish with
// a reply_to, or to the routing key `echo`, comes back to the consumer of the queue that reply_to
// names (without reply_to: of the queue `echo`), with its correlation id and body.

#include "measure.hpp"
#include "session.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr const char* usage =
    "usage: amqp-peer [--port N] [--cpu N] [--heartbeat SECONDS] [--ack-each]\n"
    "                 [--source-size OCTETS] [--source-props] [--source-count N]\n"
    "Prints `port N` and serves 127.0.0.1 until it is killed.\n";

constexpr int bulk_patience_ms = 2;

int listen_on(std::uint16_t port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd, 64) != 0) {
        die("cannot listen: %s", std::strerror(errno));
    }
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    std::printf("port %d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return fd;
}

class server {
public:
    server(int listener, const settings& options) : listener_(listener), options_(options)
    {
        watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
    }

    [[noreturn]] void run()
    {
        epoll_event events[64];
        for (;;) {
            const int n = ::epoll_wait(epoll_, events, 64, has_bulk_ ? bulk_patience_ms : 1000);
            for (int i = 0; i < n; ++i) {
                dispatch(events[i].data.fd, events[i].events);
            }
            visit_bulk();
            tick();
        }
    }

private:
    void watch(int fd, int operation, std::uint32_t events)
    {
        epoll_event event{};
        event.events = events;
        event.data.fd = fd;
        ::epoll_ctl(epoll_, operation, fd, &event);
    }

    void dispatch(int fd, std::uint32_t events)
    {
        if (fd == listener_) {
            return accept_one();
        }
        const auto found = sessions_.find(fd);
        if (found == sessions_.end()) {
            return;
        }
        auto& at = found->second;
        bool alive = true;
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
            alive = at.peer->readable();
        if (alive && (events & EPOLLOUT) != 0)
            alive = at.peer->writable();
        settle(fd, alive);
    }

    void accept_one()
    {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sessions_[fd].peer = std::make_unique<session>(fd, options_);
        watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    }

    /// Ends a session that is over; otherwise watches for what it waits for now.
    void settle(int fd, bool alive)
    {
        if (!alive) {
            sessions_.erase(fd); // the descriptor's end takes it out of epoll
            return;
        }
        auto& at = sessions_[fd];
        if (at.peer->wants_writable() != at.writing) {
            at.writing = !at.writing;
            watch(fd, EPOLL_CTL_MOD, EPOLLIN | (at.writing ? EPOLLOUT : 0u));
        }
    }

    /// Reads what a stream of large writes has left below its mark.
    void visit_bulk()
    {
        const auto is_bulk = [](const auto& item) { return item.second.peer->is_bulk(); };
        has_bulk_ = std::any_of(sessions_.begin(), sessions_.end(), is_bulk);
        if (!has_bulk_ || now_seconds() - visited_ < bulk_patience_ms / 1e3) {
            return;
        }
        visited_ = now_seconds();
        visit([&](session& peer) { return !peer.is_bulk() || peer.readable(); });
    }

    void tick()
    {
        if (now_seconds() - ticked_ < 1.0) {
            return;
        }
        ticked_ = now_seconds();
        visit([](session& peer) { return peer.tick(); });
    }

    /// Calls each session; those that answer false are over.
    template <class Call>
    void visit(Call call)
    {
        std::vector<std::pair<int, bool>> after;
        for (auto& [fd, at] : sessions_) {
            after.emplace_back(fd, call(*at.peer));
        }
        for (const auto& [fd, alive] : after) {
            settle(fd, alive);
        }
    }

    struct connection {
        std::unique_ptr<session> peer;
        bool writing = false; // EPOLLOUT is watched
    };

    int listener_;
    const settings& options_;
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    double ticked_ = now_seconds();
    double visited_ = 0;
    bool has_bulk_ = false;
    std::unordered_map<int, connection> sessions_;
};

} // namespace
} // namespace bench

int main(int argc, char** argv)
{
    bench::settings options;
    std::uint16_t port = 0;
    bench::arguments args(argc, argv, bench::usage);
    while (args.next()) {
        if (args.is("--port"))
            port = static_cast<std::uint16_t>(args.number());
        else if (args.is("--cpu"))
            bench::pin_to(static_cast<int>(args.number()));
        else if (args.is("--heartbeat"))
            options.heartbeat = static_cast<std::uint16_t>(args.number());
        else if (args.is("--ack-each"))
            options.ack_each = true;
        else if (args.is("--source-size"))
            options.source.size = args.number();
        else if (args.is("--source-props"))
            options.source.props = true;
        else if (args.is("--source-count"))
            options.source.count = args.number();
        else
            args.refuse();
    }
    bench::server(bench::listen_on(port), options).run();
}
