#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/errc.hpp"
#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/core/options.hpp"

#include <asio/error_code.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/verify_mode.hpp>
#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

/// TLS for connections to a broker and for a server, by OpenSSL: the headers of this folder need it, no others do.
namespace leveret::tls {

/// How a client's connections are secured. All files are PEM. TLS 1.2 at least.
struct options {
    std::string_view ca_file = {};          ///< certificates that are trusted; empty: those of the system
    std::string_view certificate_file = {}; ///< the client's own, with its chain, for servers that ask for one
    std::string_view key_file = {};         ///< the key of that
    std::string_view key_password = {};
    /// Whom the server's certificate must name, and who is asked for (SNI); empty: the host of the URL.
    std::string_view server_name = {};
    /// Whether the server must prove who it is. Without, anybody in between can read and change everything.
    bool verify = true;
};
static_assert(safe_options<options>);

/// By what a client's certificate names a user, for the mechanism EXTERNAL.
enum class user_name : std::uint8_t {
    common_name,        ///< CN of the subject, the first of several
    distinguished_name, ///< all of the subject as text (RFC 2253)
};

/// What a server shows to clients, and asks of them. All files are PEM. TLS 1.2 at least.
struct credentials_options {
    std::string_view certificate_file; ///< the server's own, with its chain
    std::string_view key_file;         ///< the key of that
    std::string_view key_password = {};
    /// Who may vouch for clients: then they may show a certificate, and log in by it with EXTERNAL. Empty: none is
    /// asked for.
    std::string_view client_ca_file = {};
    bool client_certificate_required = false; ///< those without one are turned away
    user_name user = user_name::common_name;
};
static_assert(safe_options<credentials_options>);

namespace detail {

[[noreturn]] inline void throw_unusable(std::string_view what, std::string_view file, const asio::error_code& ec)
{
    throw usage_error(ec, "tls: the " + std::string(what) + " '" + escaped(file) + "' can't be used: " + ec.message());
}

inline void load_own(asio::ssl::context& c, std::string_view certificate, std::string_view key,
                     std::string_view key_password)
{
    asio::error_code ec;
    // Always: without one OpenSSL would ask at the terminal, and wait there.
    c.set_password_callback([p = std::string(key_password)](std::size_t, asio::ssl::context::password_purpose) {
        return p;
    });
    c.use_certificate_chain_file(std::string(certificate), ec);
    if (ec)
        throw_unusable("certificate file", certificate, ec);
    c.use_private_key_file(std::string(key), asio::ssl::context::pem, ec);
    if (ec) // a wrong password or a key of another certificate too
        throw_unusable("key file", key, ec);
}

inline void load_authorities(asio::ssl::context& c, std::string_view file)
{
    asio::error_code ec;
    c.load_verify_file(std::string(file), ec);
    if (ec)
        throw_unusable("file of certificate authorities", file, ec);
}

[[nodiscard]] inline std::shared_ptr<asio::ssl::context> new_context(asio::ssl::context::method m)
{
    auto c = std::make_shared<asio::ssl::context>(m);
    ::SSL_CTX_set_min_proto_version(c->native_handle(), TLS1_2_VERSION);
    ::SSL_CTX_set_mode(c->native_handle(), SSL_MODE_RELEASE_BUFFERS); // idle connections are many
    return c;
}

} // namespace detail

/// What clients share: made once, used for many connections. A handle; copies are the same. Thread-safe.
class client_context {
public:
    /// Throws usage_error for a file that can't be used, and says which.
    explicit client_context(const options& o = {})
    {
        auto made = detail::new_context(asio::ssl::context::tls_client);
        if (o.verify) {
            made->set_verify_mode(asio::ssl::verify_peer);
            if (o.ca_file.empty())
                made->set_default_verify_paths();
            else
                detail::load_authorities(*made, o.ca_file);
        }
        if (o.certificate_file.empty() != o.key_file.empty())
            throw usage_error(make_error_code(errc::invalid_argument),
                              "tls: certificate_file and key_file belong together; give both or none");
        if (!o.certificate_file.empty())
            detail::load_own(*made, o.certificate_file, o.key_file, o.key_password);
        context_ = std::move(made);
        server_name_ = o.server_name;
        verifies_ = o.verify;
    }

    [[nodiscard]] const std::shared_ptr<asio::ssl::context>& context() const noexcept { return context_; }
    [[nodiscard]] const std::string& server_name() const noexcept { return server_name_; }
    [[nodiscard]] bool verifies() const noexcept { return verifies_; }

private:
    std::shared_ptr<asio::ssl::context> context_;
    std::string server_name_;
    bool verifies_ = true;
};

/// What a server shows. A handle; copies are the same, and `reload` changes it for all of them. One executor.
class server_credentials {
public:
    /// Throws usage_error for a file that can't be used, and says which.
    explicit server_credentials(const credentials_options& o) : state_(std::make_shared<state>())
    {
        state_->certificate_file = o.certificate_file;
        state_->key_file = o.key_file;
        state_->key_password = o.key_password;
        state_->client_ca_file = o.client_ca_file;
        state_->client_certificate_required = o.client_certificate_required;
        state_->user = o.user;
        if (o.client_certificate_required && o.client_ca_file.empty())
            throw usage_error(make_error_code(errc::invalid_argument),
                              "tls: client_certificate_required needs client_ca_file, which says whose are good");
        reload();
    }

    /// Reads the files again: connections that come from now on see what is in them, those that are there go on.
    /// Throws usage_error for one that can't be used, and then nothing has changed.
    void reload()
    {
        state& s = *state_;
        auto made = detail::new_context(asio::ssl::context::tls_server);
        detail::load_own(*made, s.certificate_file, s.key_file, s.key_password);
        if (!s.client_ca_file.empty()) {
            detail::load_authorities(*made, s.client_ca_file);
            ::SSL_CTX_set_client_CA_list(made->native_handle(), ::SSL_load_client_CA_file(s.client_ca_file.c_str()));
            made->set_verify_mode(asio::ssl::verify_peer |
                                  (s.client_certificate_required ? asio::ssl::verify_fail_if_no_peer_cert : 0));
        }
        // A session that is resumed is one of this server.
        static constexpr unsigned char id[] = "leveret";
        ::SSL_CTX_set_session_id_context(made->native_handle(), id, sizeof id - 1);
        s.current = std::move(made);
    }

    [[nodiscard]] const std::shared_ptr<asio::ssl::context>& context() const noexcept { return state_->current; }
    [[nodiscard]] user_name user() const noexcept { return state_->user; }

private:
    struct state {
        std::string certificate_file;
        std::string key_file;
        std::string key_password;
        std::string client_ca_file;
        bool client_certificate_required = false;
        user_name user = user_name::common_name;
        std::shared_ptr<asio::ssl::context> current;
    };
    std::shared_ptr<state> state_;
};

} // namespace leveret::tls
