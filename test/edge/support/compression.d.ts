/** Its own types bring those of Express along, which the platform of Nest then takes for its own. */
declare module 'compression' {
  export default function compression(options: { threshold: number }): (...args: unknown[]) => void;
}
