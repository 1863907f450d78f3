// Writes pokemon.csv and birdstrikes.csv beside this file.
// README.md says where each column comes from. To run:
//
//   dir=$(mktemp -d) && cd "$dir"
//   npm install --prefix . --ignore-scripts @pkmn/dex@0.10.11 pokedex@1.1.0 vega-datasets@3.2.1
//   node /path/to/data/make_pokemon.mjs
//
// The packages are looked for in node_modules of the current folder.
// The same packages always give the same bytes.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const LAST = 801;  // Magearna
const OUT = path.dirname(fileURLToPath(import.meta.url));
const MODULES = path.join(process.cwd(), 'node_modules');

const PINNED = { '@pkmn/dex': '0.10.11', pokedex: '1.1.0', 'vega-datasets': '3.2.1' };
for (const [name, want] of Object.entries(PINNED)) {
  const have = JSON.parse(fs.readFileSync(path.join(MODULES, name, 'package.json'), 'utf8')).version;
  if (have !== want) throw new Error(`${name}: want ${want}, have ${have}`);
}

// ---- PokeAPI tables (npm pokedex). The six used have no quoted fields.
function table(file) {
  const text = fs.readFileSync(path.join(MODULES, 'pokedex/data/csv', file), 'utf8');
  if (text.includes('"')) throw new Error(`${file}: quoted field`);
  const [head, ...lines] = text.split(/\r?\n/).filter((l) => l !== '').map((l) => l.split(','));
  return lines.map((l) => Object.fromEntries(head.map((k, i) => [k, l[i]])));
}
const index = (rows, key, value = (r) => r) => new Map(rows.map((r) => [+r[key], value(r)]));

const ENGLISH = '9', KANA = '1';
const names = table('pokemon_species_names.csv');
const english = index(names.filter((r) => r.local_language_id === ENGLISH), 'pokemon_species_id');
const japanese = index(names.filter((r) => r.local_language_id === KANA), 'pokemon_species_id', (r) => r.name);
const pokemon = index(table('pokemon.csv').filter((r) => r.is_default === '1'), 'species_id');
const species = index(table('pokemon_species.csv'), 'id');
const expAt100 = index(table('experience.csv').filter((r) => r.level === '100'), 'growth_rate_id', (r) => r.experience);
const abilityName = index(table('ability_names.csv').filter((r) => r.local_language_id === ENGLISH), 'ability_id', (r) => r.name);
const abilitySlots = new Map();
for (const r of table('pokemon_abilities.csv')) {
  if (!abilitySlots.has(r.pokemon_id)) abilitySlots.set(r.pokemon_id, []);
  abilitySlots.get(r.pokemon_id)[+r.slot] = abilityName.get(+r.ability_id);
}

// ---- Pokémon Showdown data as of generation 7 (npm @pkmn/dex)
const { Dex } = createRequire(path.join(process.cwd(), 'x.js'))('@pkmn/dex');
const dex = Dex.forGen(7);
const base = new Map();
for (const s of dex.species.all()) {
  if (s.num < 1 || s.num > LAST || s.forme) continue;
  if (base.has(s.num)) throw new Error(`two base forms for ${s.num}`);
  base.set(s.num, s);
}

const TYPES = ['Bug', 'Dark', 'Dragon', 'Electric', 'Fairy', 'Fighting', 'Fire', 'Flying', 'Ghost',
  'Grass', 'Ground', 'Ice', 'Normal', 'Poison', 'Psychic', 'Rock', 'Steel', 'Water'];
const FACTOR = [1, 2, 0.5, 0];  // damageTaken: plain, weak, resists, immune
const against = (defender, attack) =>
  defender.reduce((f, type) => f * FACTOR[dex.types.get(type).damageTaken[attack]], 1);

// As the public data set has it: legendaries, mythicals and ultra beasts,
// but not Phione (489), Type: Null (772) and Silvally (773).
const NOT_LEGENDARY = new Set([489, 772, 773]);
const LEGENDARY_TAGS = ['Sub-Legendary', 'Restricted Legendary', 'Mythical', 'Ultra Beast'];
const isLegendary = (s) => +(!NOT_LEGENDARY.has(s.num) && s.tags.some((t) => LEGENDARY_TAGS.includes(t)));

// ['A', 'B'] as Python's repr() writes it
const pyString = (s) => (s.includes("'") ? `"${s}"` : `'${s}'`);
const pyList = (list) => `[${list.map(pyString).join(', ')}]`;

const tenths = (n) => +n / 10;
const cleanName = (s) => s.normalize('NFC').replaceAll('\u2019', "'");  // Farfetch'd

function row(n) {
  const s = base.get(n), p = pokemon.get(n), sp = species.get(n), b = s.baseStats;
  const [type1, type2 = ''] = s.types.map((t) => t.toLowerCase());
  return {
    abilities: pyList([...new Set(abilitySlots.get(p.id).filter(Boolean))]),
    ...Object.fromEntries(TYPES.map((t) =>
      [`against_${t === 'Fighting' ? 'fight' : t.toLowerCase()}`, against(s.types, t)])),
    attack: b.atk,
    base_egg_steps: +sp.hatch_counter * 256,
    base_happiness: sp.base_happiness,
    base_total: b.hp + b.atk + b.def + b.spa + b.spd + b.spe,
    capture_rate: sp.capture_rate,
    classfication: english.get(n).genus.normalize('NFC'),
    defense: b.def,
    experience_growth: expAt100.get(+sp.growth_rate_id),
    height_m: tenths(p.height),
    hp: b.hp,
    japanese_name: japanese.get(n),
    name: cleanName(english.get(n).name),
    percentage_male: sp.gender_rate === '-1' ? '' : 100 - 12.5 * sp.gender_rate,
    pokedex_number: n,
    sp_attack: b.spa,
    sp_defense: b.spd,
    speed: b.spe,
    type1,
    type2,
    weight_kg: tenths(p.weight),
    generation: sp.generation_id,
    is_legendary: isLegendary(s),
  };
}

const field = (v) => {
  const s = String(v);
  return /[",\r\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s;
};

const rows = Array.from({ length: LAST }, (_, i) => row(i + 1));
const columns = Object.keys(rows[0]);
const MAY_BE_EMPTY = new Set(['type2', 'percentage_male']);
for (const r of rows) {
  for (const c of columns) {
    const v = r[c];
    if (v === undefined || Number.isNaN(v) || (v === '' && !MAY_BE_EMPTY.has(c))) {
      throw new Error(`${r.pokedex_number}: no ${c}`);
    }
  }
}
const lines = [columns, ...rows.map((r) => columns.map((c) => r[c]))];
fs.writeFileSync(path.join(OUT, 'pokemon.csv'), lines.map((l) => l.map(field).join(',') + '\n').join(''));
fs.copyFileSync(path.join(MODULES, 'vega-datasets/data/birdstrikes.csv'), path.join(OUT, 'birdstrikes.csv'));
fs.chmodSync(path.join(OUT, 'birdstrikes.csv'), 0o644);
