/** A setting turned out to be wrong only when it was used. Ends the service with exit code 2 and this message. */
export class SettingFault extends Error {
  override readonly name = "SettingFault";
}
