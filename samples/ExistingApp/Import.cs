using System.ComponentModel.DataAnnotations;

namespace ExistingApp;

/// <summary>The body of an import request.</summary>
public sealed record Import([Required, StringLength(100)] string Source, [Required, MinLength(1)] IReadOnlyList<ImportedItem> Items);

/// <summary>An item of an <see cref="Import"/>.</summary>
public sealed record ImportedItem([Required] string Name, [Range(0, 1_000_000)] int Quantity);
