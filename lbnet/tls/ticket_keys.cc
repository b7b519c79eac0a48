#include "lbnet/tls/ticket_keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>

#include "lbcore/assert.h"

namespace lb::net::tls {
namespace {

void fill(std::span<unsigned char> bytes) {
  const int filled = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  LB_ASSERT(filled == 1);
}

}  // namespace

TicketKeys::~TicketKeys() {
  for (TicketKey& key : keys_) OPENSSL_cleanse(&key, sizeof(key));
}

// After a long silence more than one key is overdue; what is that old is not read any more.
void TicketKeys::rotate(Instant now) {
  if (!keys_.empty() && now - keys_.front().since < kRotation) return;
  std::erase_if(keys_, [&](const TicketKey& key) {
    return now - key.since >= kRotation * static_cast<Duration::rep>(kKept);
  });
  TicketKey key;
  fill(key.name);
  fill(key.encryption);
  fill(key.signature);
  key.since = now;
  keys_.insert(keys_.begin(), key);
  if (keys_.size() > kKept) keys_.pop_back();
}

TicketKey TicketKeys::current(Instant now) {
  const std::lock_guard lock(mutex_);
  rotate(now);
  return keys_.front();
}

std::optional<TicketKeys::Found> TicketKeys::find(Instant now,
                                                  std::span<const unsigned char> name) {
  const std::lock_guard lock(mutex_);
  rotate(now);
  for (const TicketKey& key : keys_) {
    if (std::ranges::equal(key.name, name)) return Found{key, &key == &keys_.front()};
  }
  return std::nullopt;
}

}  // namespace lb::net::tls
