using System.Text.Json;
using System.Text.Json.Serialization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.S3.State;

/// <summary>Reads and writes documents.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(UploadDocument))]
internal sealed partial class DocumentJsonContext : JsonSerializerContext
{
    public static byte[] Serialize(State.UploadDocument document) => JsonSerializer.SerializeToUtf8Bytes(document, Default.UploadDocument);

    /// <exception cref="UploadStoreException">The bytes are no document of a known format.</exception>
    public static State.UploadDocument Deserialize(byte[] bytes, string name)
    {
        try
        {
            if (JsonSerializer.Deserialize(bytes, Default.UploadDocument) is { Format: State.UploadDocument.CurrentFormat, Segments: not null } document
                && document.Offset == document.Segments.Sum(static run => run.TotalLength))
            {
                return document;
            }
        }
        catch (Exception e) when (e is JsonException or OverflowException)
        {
            throw new UploadStoreException(StoreFailure.Corrupt, $"The state object '{name}' cannot be understood: {e.Message}", innerException: e);
        }

        throw new UploadStoreException(StoreFailure.Corrupt, $"The state object '{name}' has an unknown format, or segments that do not add up to its offset.");
    }
}
