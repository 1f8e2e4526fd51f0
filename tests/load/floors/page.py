"""The floor of the console: a page without any framework that shows as many rows as fast.

`fill` shows rows, `play` changes the text of some of them twenty times a second; there is a field
to write in. Served from nowhere.
"""

from typing import Final

HTML: Final = """<!doctype html><meta charset="utf-8"><title>floor</title>
<style>body{display:flex;margin:0;font:13px sans-serif}ul{width:296px;height:100vh;overflow:auto}
li{height:56px}textarea{height:120px;width:600px}</style>
<ul></ul><textarea></textarea>
<script>
const list = document.querySelector("ul");
let playing;
function fill(rows) {
  list.replaceChildren(...Array.from({ length: rows }, (_, number) => {
    const row = document.createElement("li");
    row.textContent = `买家${number} 在吗`;
    return row;
  }));
}
function play(perSecond) {
  clearInterval(playing);
  playing = setInterval(() => requestAnimationFrame(() => {
    for (let left = perSecond / 20; left > 0; left -= 1) {
      const row = list.children[Math.floor(Math.random() * list.children.length)];
      row.textContent = `买家 ${Math.random()}`;
    }
  }), 50);
}
</script>"""
