using System.Text.Json.Serialization;

namespace ResumableUploads.Client.State;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(UploadStateEntry))]
internal sealed partial class UploadStateJsonContext : JsonSerializerContext;
