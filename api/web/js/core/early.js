// Before anything is painted: the theme that was chosen here, if one was.
try {
  const chosen = localStorage.getItem("crossmedia-theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing follows the system.
}
