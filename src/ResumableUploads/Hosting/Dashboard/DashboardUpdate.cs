using System.Text.Json.Serialization;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>A live update of a page.</summary>
/// <param name="Numbers">The numbers of <see cref="DashboardNumbers"/>.</param>
/// <param name="Refusals">The refusals of the last hour by problem type.</param>
/// <param name="Uploads">The uploads of the page, or null if the list is not live or the store failed.</param>
/// <param name="IsListLive">Whether the list of the page is updated.</param>
internal sealed record DashboardUpdate(
    Dictionary<string, string> Numbers, IReadOnlyDictionary<string, long> Refusals, List<DashboardRow>? Uploads, bool IsListLive);

/// <summary>What changes in the row of an upload.</summary>
/// <param name="Id">The identifier of the row.</param>
/// <param name="Offset">The number of durable bytes.</param>
/// <param name="Progress">The progress as text.</param>
/// <param name="State">The state as text.</param>
/// <param name="Reason">The reason of the state.</param>
internal sealed record DashboardRow(string Id, long Offset, string Progress, string State, string Reason)
{
    public static DashboardRow From(ManagedUpload upload) => new(
        DashboardText.RowId(upload), upload.Offset, DashboardText.Progress(upload), DashboardText.State(upload.State), DashboardText.Reason(upload));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DashboardUpdate))]
internal sealed partial class DashboardUpdateJsonContext : JsonSerializerContext;
