import { startFakePia, startFakeQbittorrent } from "@qbit-sidecars/testing";

/**
 * A PIA and a qBittorrent that are none, run inside a machine, since nothing outside reaches its network. Prints
 * pia-forwarder's settings for them, and then its certificate, until it is ended.
 */
const pia = await startFakePia();
const qbittorrent = await startFakeQbittorrent({ auth: { username: "admin", password: "adminadmin" } });
console.log(`PIA_USERNAME='${pia.username}'
PIA_PASSWORD='${pia.password}'
PIA_TOKEN_URL='${pia.tokens.url}'
PIA_GATEWAY='${pia.gateway.address}'
PIA_GATEWAY_PORT='${pia.port}'
PIA_HOSTNAME='${pia.gateway.hostname}'
PIA_CA_CERT='/etc/pia-forwarder/ca.rsa.4096.crt'
QBITTORRENT_HOST='${qbittorrent.url}'
QBITTORRENT_USERNAME='admin'
QBITTORRENT_PASSWORD='adminadmin'
PORT_FILE='/run/pia-forwarder/forwarded_port'
ON_CHANGE_COMMAND='touch /run/pia-forwarder/{{PORT}}'
HEALTH_ADDR='127.0.0.1:9102'
${pia.ca}`);
