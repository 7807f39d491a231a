#pragma once

#include "leveret/io/environment.hpp"
#include "leveret/tls/certificate.hpp"
#include "leveret/tls/context.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/ip/address.hpp>
#include <asio/post.hpp>
#include <asio/ssl/error.hpp>
#include <asio/ssl/stream.hpp>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace leveret::tls {

namespace detail {

/// A stream as Asio's TLS wants one below itself.
template <class Stream>
class layer {
public:
    using executor_type = asio::any_io_executor;
    using lowest_layer_type = layer;

    layer(Stream& stream, executor_type executor) : stream_(&stream), executor_(std::move(executor)) {}
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
    [[nodiscard]] layer& lowest_layer() noexcept { return *this; }
    [[nodiscard]] const layer& lowest_layer() const noexcept { return *this; }
    template <class Buffers, class Handler>
    void async_read_some(const Buffers& buffers, Handler&& handler)
    {
        stream_->async_read_some(buffers, std::forward<Handler>(handler));
    }
    template <class Buffers, class Handler>
    void async_write_some(const Buffers& buffers, Handler&& handler)
    {
        stream_->async_write_some(buffers, std::forward<Handler>(handler));
    }

private:
    Stream* stream_;
    executor_type executor_;
};

/// A connection, which its operations hold: Asio's TLS must outlive them.
template <class Stream>
struct connection {
    template <class Environment>
    connection(Environment& e, const asio::any_io_executor& x) : executor(x), base(e, x)
    {
    }
    void secure(std::shared_ptr<asio::ssl::context> c)
    {
        context = std::move(c);
        ssl.emplace(layer<Stream>(base, executor), *context);
    }
    [[nodiscard]] SSL* native() { return ssl->native_handle(); }

    asio::any_io_executor executor;
    Stream base;
    std::shared_ptr<asio::ssl::context> context;
    std::optional<asio::ssl::stream<layer<Stream>>> ssl; ///< none: everything goes in the clear
    bool is_ready = false;                               ///< the handshake is over
};

/// What ends a stream, in the words of one without TLS; and why a certificate was not accepted.
template <class Stream>
[[nodiscard]] std::error_code explained(std::error_code ec, connection<Stream>& c)
{
    if (ec == asio::ssl::error::stream_truncated) // the other side just closes its socket, as most do
        return asio::error::eof;
    if (!ec || c.is_ready || (::SSL_get_verify_mode(c.native()) & SSL_VERIFY_PEER) == 0)
        return ec;
    const long why = ::SSL_get_verify_result(c.native());
    return why == X509_V_OK ? ec : std::error_code(static_cast<int>(why), certificate_category());
}

/// The server's name in its certificate, and for those who serve several. False for one that can't be.
[[nodiscard]] inline bool expect_name(SSL* ssl, const std::string& name, bool verifies)
{
    asio::error_code no_address;
    asio::ip::make_address(name, no_address);
    if (!no_address)
        return !verifies || ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), name.c_str()) == 1;
    if (verifies && ::X509_VERIFY_PARAM_set1_host(::SSL_get0_param(ssl), name.data(), name.size()) != 1)
        return false;
    return SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

} // namespace detail

/// An environment whose streams are TLS: for clients with a client_context, for servers with server_credentials, and with
/// neither everything goes in the clear. Everything else is the Base's.
///
///     lv::tls::environment secured{lv::tls::server_credentials({.certificate_file = "cert.pem", .key_file = "key.pem"})};
///     lv::broker::basic_server<lv::tls::environment> server{secured, executor, options};
///
/// The handshake of a client belongs to `async_open`; that of a server to its first read, so that who is slow keeps
/// nobody else from being accepted. A stream that ends sends no close_notify: AMQP has its own goodbye.
template <io::listening_environment Base>
class basic_environment {
public:
    basic_environment() = default;
    explicit basic_environment(Base base) : base_(std::move(base)) {}
    explicit basic_environment(client_context c, Base base = {}) : base_(std::move(base)), client_(std::move(c)) {}
    explicit basic_environment(server_credentials c, Base base = {}) : base_(std::move(base)), server_(std::move(c)) {}

    /// Whether connections to others are secured.
    [[nodiscard]] bool is_secure() const noexcept { return client_.has_value(); }

    [[nodiscard]] instant now() const noexcept { return base_.now(); }
    [[nodiscard]] std::int64_t unix_time() const noexcept { return base_.unix_time(); }
    [[nodiscard]] std::uint64_t random() const { return base_.random(); }

    class timer : public Base::timer {
    public:
        timer(basic_environment& e, const asio::any_io_executor& executor) : Base::timer(e.base_, executor) {}
    };

    class stream {
    public:
        stream(basic_environment& e, const asio::any_io_executor& executor)
            : client_(e.client_), connection_(std::make_shared<connection>(e.base_, executor))
        {
        }
        stream(const stream&) = delete;
        stream& operator=(const stream&) = delete;
        ~stream() { close(); }

        template <class Handler>
        void async_open(std::string_view host, std::uint16_t port, Handler&& handler)
        {
            auto opened = [c = connection_, client = client_, name = std::string(host),
                           h = std::forward<Handler>(handler)](std::error_code ec) mutable {
                if (ec || !client)
                    return std::move(h)(ec);
                c->secure(client->context());
                if (!detail::expect_name(c->native(), client->server_name().empty() ? name : client->server_name(),
                                         client->verifies()))
                    return std::move(h)(std::make_error_code(std::errc::invalid_argument));
                auto& ssl = *c->ssl;
                ssl.async_handshake(asio::ssl::stream_base::client,
                                    [c = std::move(c), h = std::move(h)](std::error_code e) mutable {
                                        e = detail::explained(e, *c);
                                        c->is_ready = !e;
                                        std::move(h)(e);
                                    });
            };
            connection_->base.async_open(host, port, std::move(opened));
        }
        template <class Buffers, class Handler>
        void async_read_some(const Buffers& buffers, Handler&& handler)
        {
            connection& c = *connection_;
            if (!c.ssl)
                return c.base.async_read_some(buffers, std::forward<Handler>(handler));
            if (c.is_ready)
                return read(connection_, buffers, std::forward<Handler>(handler));
            c.ssl->async_handshake(asio::ssl::stream_base::server,
                                   [c = connection_, buffers, h = std::forward<Handler>(handler)](
                                       std::error_code ec) mutable {
                                       ec = detail::explained(ec, *c);
                                       c->is_ready = !ec;
                                       if (ec)
                                           return std::move(h)(ec, 0);
                                       read(std::move(c), buffers, std::move(h));
                                   });
        }
        template <class Buffers, class Handler>
        void async_write_some(const Buffers& buffers, Handler&& handler)
        {
            connection& c = *connection_;
            if (!c.ssl)
                return c.base.async_write_some(buffers, std::forward<Handler>(handler));
            if (!c.is_ready) // nobody is there yet who could understand it
                return asio::post(c.executor, [h = std::forward<Handler>(handler)]() mutable {
                    std::move(h)(std::error_code(asio::error::not_connected), 0);
                });
            c.ssl->async_write_some(buffers, [c = connection_, h = std::forward<Handler>(handler)](
                                                 std::error_code ec, std::size_t n) mutable {
                ec = detail::explained(ec, *c);
                c.reset();
                std::move(h)(ec, n);
            });
        }
        void close() noexcept { connection_->base.close(); }
        /// When a read would give something, at rest: one that was cancelled has taken all that is there.
        template <class Handler>
        void async_wait_input(Handler&& handler)
            requires io::waiting_stream<typename Base::stream>
        {
            connection_->base.async_wait_input([c = connection_, h = std::forward<Handler>(handler)](
                                                   std::error_code ec) mutable {
                c.reset();
                std::move(h)(ec);
            });
        }
        void cancel()
            requires io::waiting_stream<typename Base::stream>
        {
            connection_->base.cancel();
        }
        void abort() noexcept
            requires requires(typename Base::stream& s) { s.abort(); }
        {
            connection_->base.abort();
        }
        /// Of no use before a peer was accepted.
        [[nodiscard]] io::peer_address peer() const { return connection_->base.peer(); }
        /// Whom the certificate names that the peer has shown; empty without one, and before the first read is done.
        [[nodiscard]] std::string peer_name() const
        {
            return connection_->ssl && connection_->is_ready ? detail::user_of_peer(connection_->native(), user_)
                                                             : std::string();
        }

    private:
        friend class basic_environment;
        using connection = detail::connection<typename Base::stream>;

        template <class Buffers, class Handler>
        static void read(std::shared_ptr<connection> held, const Buffers& buffers, Handler&& handler)
        {
            auto& ssl = *held->ssl;
            ssl.async_read_some(buffers, [c = std::move(held), h = std::forward<Handler>(handler)](
                                             std::error_code ec, std::size_t n) mutable {
                ec = detail::explained(ec, *c);
                c.reset();
                std::move(h)(ec, n);
            });
        }

        std::optional<client_context> client_;
        std::shared_ptr<connection> connection_;
        user_name user_ = user_name::common_name;
    };

    class acceptor {
    public:
        acceptor(basic_environment& e, const asio::any_io_executor& executor)
            : base_(e.base_, executor), credentials_(e.server_)
        {
        }
        [[nodiscard]] std::error_code listen(std::string_view host, std::uint16_t port) { return base_.listen(host, port); }
        [[nodiscard]] std::uint16_t port() const noexcept { return base_.port(); }
        template <class Handler>
        void async_accept(stream& into, Handler&& handler)
        {
            auto accepted = [&into, credentials = credentials_,
                             h = std::forward<Handler>(handler)](std::error_code ec) mutable {
                if (!ec && credentials) {
                    into.user_ = credentials->user();
                    into.connection_->secure(credentials->context());
                }
                std::move(h)(ec);
            };
            base_.async_accept(into.connection_->base, std::move(accepted));
        }
        void close() noexcept { base_.close(); }

    private:
        typename Base::acceptor base_;
        std::optional<server_credentials> credentials_;
    };

private:
    Base base_;
    std::optional<client_context> client_;
    std::optional<server_credentials> server_;
};

using environment = basic_environment<io::asio_environment>;

static_assert(io::listening_environment<environment>);
static_assert(io::waiting_stream<environment::stream>);

} // namespace leveret::tls
