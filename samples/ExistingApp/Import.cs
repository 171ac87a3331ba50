using System.ComponentModel.DataAnnotations;

namespace ExistingApp;

/// <summary>A list of items from somewhere else.</summary>
public sealed record Import([Required, StringLength(100)] string Source, [Required, MinLength(1)] IReadOnlyList<ImportedItem> Items);

/// <summary>One of them.</summary>
public sealed record ImportedItem([Required] string Name, [Range(0, 1_000_000)] int Quantity);
