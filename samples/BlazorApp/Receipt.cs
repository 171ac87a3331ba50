using System.Text.Json.Serialization;

namespace BlazorApp;

/// <summary>The response to a completed upload, which the component receives as its result.</summary>
public sealed record Receipt(long Size, string? Type);

[JsonSerializable(typeof(Receipt))]
public sealed partial class ReceiptContext : JsonSerializerContext;
