#include "lbd/tls_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace lb::daemon {
namespace {

namespace tls = net::tls;

// Reads files, and says under the key that names one when that is not possible.
class Reader {
 public:
  Reader(const std::string& config_file, LoadedTls& loaded)
      : folder_(std::filesystem::path(config_file).parent_path()), loaded_(loaded) {}

  // Of a name that is not there, nothing.
  tls::File read(const std::string& name, const std::string& path) {
    if (name.empty()) return {};
    tls::File file{(folder_ / name).string(), {}};
    errno = 0;
    std::ifstream in(file.name, std::ios::binary);
    in.peek();  // A directory can be opened, but not read.
    if (!in.is_open() || in.bad()) {
      std::string message = "cannot read ";
      message.append(file.name).append(": ").append(std::strerror(errno == 0 ? EIO : errno));
      loaded_.problems.push_back({{}, path, std::move(message)});
      return file;
    }
    file.text.assign(std::istreambuf_iterator<char>(in), {});
    return file;
  }

  // The key's own file, or that of the certificate.
  tls::File read_key(const std::string& name, const std::string& path,
                     const tls::File& certificate) {
    tls::File key = name.empty() ? certificate : read(name, path);
    struct stat status {};
    if (::stat(key.name.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0) {
      std::string message = key.name;
      message.append(" can be read by everybody; expected mode 0600 or 0640");
      loaded_.warnings.push_back({{}, path, std::move(message)});
    }
    return key;
  }

 private:
  std::filesystem::path folder_;
  LoadedTls& loaded_;
};

void add(const tls::Complaints& complaints, const std::string& path, LoadedTls& loaded) {
  for (const tls::Complaint& complaint : complaints) {
    loaded.problems.push_back({{}, path + complaint.key, complaint.message});
  }
}

void load_listener(const config::ListenerConfig& listener, const std::string& path,
                   const TlsContexts& last, Reader& reader, LoadedTls& loaded) {
  const ListenerTlsConfig& config = *listener.tls;
  const std::size_t problems = loaded.problems.size();
  tls::ServerSetup setup{.listener = listener.name, .config = config};
  for (std::size_t i = 0; i < config.certificates.size(); ++i) {
    std::string at = path;
    at.append("certificates[").append(std::to_string(i)).append("].");
    tls::File certificate = reader.read(config.certificates[i].certificate, at + "certificate");
    tls::File key = reader.read_key(config.certificates[i].key, at + "key", certificate);
    setup.certificates.push_back({std::move(certificate), std::move(key)});
  }
  if (config.client_certificates) {
    setup.client_ca = reader.read(config.client_certificates->ca, path + "client_certificates.ca");
  }
  if (listener.protocol == config::Protocol::http) setup.protocols = {"http/1.1", "http/1.0"};
  if (loaded.problems.size() > problems) return;
  tls::Complaints complaints;
  loaded.contexts.listeners[listener.name] =
      tls::ServerContext::make(setup, last.of_listener(listener.name).get(), complaints);
  add(complaints, path, loaded);
}

void load_cluster(const ClusterConfig& cluster, const std::string& path, const TlsContexts& last,
                  Reader& reader, LoadedTls& loaded) {
  const UpstreamTlsConfig& config = *cluster.tls;
  const std::size_t problems = loaded.problems.size();
  tls::ClientSetup setup{.config = config};
  setup.ca = reader.read(config.ca, path + "ca");
  setup.certificate = reader.read(config.certificate, path + "certificate");
  if (!config.certificate.empty()) {
    setup.key = reader.read_key(config.key, path + "key", setup.certificate);
  }
  if (loaded.problems.size() > problems) return;
  tls::Complaints complaints;
  loaded.contexts.clusters[cluster.name] =
      tls::ClientContext::make(setup, last.of_cluster(cluster.name), complaints);
  add(complaints, path, loaded);
}

template <class Map>
typename Map::mapped_type find(const Map& map, const std::string& name) {
  const auto place = map.find(name);
  return place == map.end() ? nullptr : place->second;
}

}  // namespace

std::shared_ptr<const net::tls::ServerContext> TlsContexts::of_listener(
    const std::string& name) const {
  return find(listeners, name);
}

std::shared_ptr<const net::tls::ClientContext> TlsContexts::of_cluster(
    const std::string& name) const {
  return find(clusters, name);
}

LoadedTls load_tls(const config::DaemonConfig& config, const std::string& config_file,
                   const TlsContexts& last) {
  LoadedTls loaded;
  Reader reader(config_file, loaded);
  const auto path = [](const char* list, std::size_t index) {
    std::string text = list;
    text.append("[").append(std::to_string(index)).append("].tls.");
    return text;
  };
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const config::ListenerConfig& listener = config.listeners[i];
    if (listener.tls) load_listener(listener, path("listeners", i), last, reader, loaded);
  }
  for (std::size_t i = 0; i < config.clusters.size(); ++i) {
    const ClusterConfig& cluster = config.clusters[i];
    if (cluster.tls) load_cluster(cluster, path("clusters", i), last, reader, loaded);
  }
  return loaded;
}

}  // namespace lb::daemon
