import { connect, createServer } from "node:net";
import { warmUpMs } from "./warm-up.ts";

/**
 * What TCP alone carries: `listen PORT` counts what arrives and prints the bytes of `SECONDS`, after a time to warm up;
 * `send HOST PORT CONNECTIONS` sends until it is killed.
 */
const [role, first = "", second = "", third = "1"] = process.argv.slice(2);
if (role === "listen") listen(Number(first), Number(second));
else for (let count = 0; count < Number(third); count += 1) send(first, Number(second));

function listen(port: number, seconds: number): void {
  let bytes = 0;
  const measure = () => {
    const before = bytes;
    setTimeout(() => {
      console.log(bytes - before);
      process.exit();
    }, seconds * 1000);
  };
  createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (bytes === 0) setTimeout(() => measure(), warmUpMs);
      bytes += data.length;
    });
  }).listen(port, "0.0.0.0", () => console.error("ready"));
}

function send(host: string, port: number): void {
  const chunk = Buffer.alloc(1024 * 1024);
  const socket = connect(port, host);
  const fill = () => {
    while (socket.write(chunk));
  };
  socket.on("error", () => {});
  socket.on("connect", fill);
  socket.on("drain", fill);
}
