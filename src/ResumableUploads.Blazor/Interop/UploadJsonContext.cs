using System.Text.Json;
using System.Text.Json.Serialization;

namespace ResumableUploads.Blazor.Interop;

/// <summary>JSON without reflection, so that a trimmed app works.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    Converters = [typeof(BrowserUploadStateConverter), typeof(ElementEventKindConverter), typeof(BrowserUploadFailureReasonConverter)])]
[JsonSerializable(typeof(UploadMessage))]
[JsonSerializable(typeof(UploadSettings))]
internal sealed partial class UploadJsonContext : JsonSerializerContext;

internal sealed class BrowserUploadStateConverter() : JsonStringEnumConverter<BrowserUploadState>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false);

internal sealed class ElementEventKindConverter() : JsonStringEnumConverter<ElementEventKind>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false);

/// <summary>Reads a reason such as <c>too-large</c>. One that this version does not know is <see cref="BrowserUploadFailureReason.Unknown"/>.</summary>
internal sealed class BrowserUploadFailureReasonConverter : JsonConverter<BrowserUploadFailureReason>
{
    public override BrowserUploadFailureReason Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string name = reader.GetString()!.Replace("-", "", StringComparison.Ordinal);
        return name.All(char.IsAsciiLetter) && Enum.TryParse(name, ignoreCase: true, out BrowserUploadFailureReason reason) ? reason : BrowserUploadFailureReason.Unknown;
    }

    public override void Write(Utf8JsonWriter writer, BrowserUploadFailureReason value, JsonSerializerOptions options) =>
        writer.WriteStringValue(JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()));
}
