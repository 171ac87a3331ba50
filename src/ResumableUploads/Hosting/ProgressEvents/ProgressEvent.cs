using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ResumableUploads.Hosting.ProgressEvents;

/// <summary>The data of an event. Clients parse its JSON.</summary>
/// <param name="Offset">The number of durable bytes.</param>
/// <param name="Length">The length of the whole content, or <see langword="null"/> while it is unknown.</param>
/// <param name="Complete">Whether all bytes are durable.</param>
/// <param name="State">The state of the upload.</param>
internal sealed record ProgressEvent(long Offset, long? Length, bool Complete, string State)
{
    private const string Completed = "completed";
    private const string DeadLettered = "dead-lettered";
    private const string Gone = "gone";

    /// <summary>Gets the name of the event.</summary>
    [JsonIgnore]
    public string Name => IsLast ? State : "progress";

    /// <summary>Gets whether no further event follows.</summary>
    [JsonIgnore]
    public bool IsLast => State is Completed or DeadLettered or Gone;

    /// <summary>Gets the identifier of the event, which a client that connects again sends as <c>Last-Event-ID</c>.</summary>
    [JsonIgnore]
    public string Id => string.Create(CultureInfo.InvariantCulture, $"{State}-{Offset}");

    public static ProgressEvent From(ManagedUpload upload)
    {
        // A part has no completion of its own.
        bool isCompletePart = upload.IsPart && upload.Offset == upload.Length;
        return new ProgressEvent(
            upload.Offset,
            upload.Length,
            isCompletePart || upload.State != ManagedUploadState.Receiving,
            isCompletePart ? Completed : GetText(upload.State));
    }

    /// <summary>Returns the event of an upload that was removed or has expired.</summary>
    public ProgressEvent ToGone() => this with { Complete = false, State = Gone };

    /// <summary>Returns the event as text of an event stream.</summary>
    public byte[] ToBytes()
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(this, ProgressEventJsonContext.Default.ProgressEvent);
        return [.. System.Text.Encoding.ASCII.GetBytes($"event: {Name}\nid: {Id}\ndata: "), .. json, .. "\n\n"u8];
    }

    private static string GetText(ManagedUploadState state) => state switch
    {
        ManagedUploadState.Receiving => "receiving",
        ManagedUploadState.Received => "received",
        ManagedUploadState.Failed => "retrying",
        ManagedUploadState.DeadLettered => DeadLettered,
        _ => Completed,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProgressEvent))]
internal sealed partial class ProgressEventJsonContext : JsonSerializerContext;
