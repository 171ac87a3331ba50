using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Ietf;
using ResumableUploads.Testing.Clients;
using static ResumableUploads.Testing.Clients.IetfClient;

namespace ResumableUploads.UnitTests.Protocols.Ietf;

/// <summary>The response to each result, including those that a test on a server cannot produce (docs/protocols/ietf.md#problem-types).</summary>
public class IetfResponsesTests
{
    private const string Location = "/upload/0";

    /// <summary>The result, the status, the problem type (null if the response is not a problem), Retry-After, the completeness, and whether limits are sent.</summary>
    public static readonly TheoryData<string, int, string?, string?, string?, bool> Table = new()
    {
        { "Appended", 204, null, null, "?0", false },
        { "Completed", 201, null, null, "?1", false },
        { "Replayed", 201, null, null, "?1", false },
        { "Cancelled", 204, null, null, null, false },
        { "NotFound", 404, Own + "not-found", null, "?0", false },
        { "DifferentRequest", 409, Own + "different-request", null, "?0", false },
        { "OffsetMismatch", 409, Registered + "mismatching-upload-offset", null, "?0", false },
        { "AlreadyComplete", 409, Registered + "mismatching-upload-offset", null, "?0", false },
        { "DifferentContent", 409, Own + "different-content", null, "?0", false },
        { "ContentCodingMismatch", 415, Own + "content-coding", null, "?0", false },
        { "LengthConflict", 400, Registered + "inconsistent-upload-length", null, "?0", false },
        { "LengthExceeded", 400, Registered + "inconsistent-upload-length", null, "?0", false },
        { "UploadTooLarge", 413, Own + "too-large", null, "?0", true },
        { "AppendTooLarge", 413, Own + "append-too-large", null, "?0", true },
        { "DigestMismatch", 400, Own + "digest-mismatch", null, "?0", false },
        { "DigestMissing", 400, Own + "digest-mismatch", null, "?0", false },
        { "ReprDigestMismatch", 400, Own + "digest-mismatch", null, "?0", false },
        { "DigestUnsupported", 413, Own + "digest-too-large", null, "?0", false },
        { "Preempted", 409, Own + "taken-over", null, "?0", false },
        { "Interrupted", 503, Own + "interrupted", null, "?0", false },
        { "IdleTimeout", 503, Own + "idle", null, "?0", false },
        { "BelowMinDataRate", 503, Own + "too-slow", null, "?0", false },
        { "ShuttingDown", 503, Own + "shutting-down", "1", "?0", false },
        { "Busy", 503, Own + "busy", "1", "?0", false },
        { "HandlerRunning", 503, Own + "still-completing", "5", "?0", false },
        { "HandlerFailed", 503, Own + "handler-failed", "10", "?0", false },
        { "DeadLettered", 500, Own + "parked", null, "?0", false },
        { "Rejected", 418, Own + "refused", null, "?0", false },
        { "PermitUsed", 403, Own + "ticket-used", null, "?0", false },
        { "MetadataTooLarge", 431, Own + "headers-too-large", null, "?0", false },
        { "TooManyUploads", 429, Own + "too-many-uploads", "60", "?0", false },
        { "TooManyAppends", 429, Own + "too-many-requests", "5", "?0", false },
        { "OwnerQuotaExceeded", 413, Own + "owner-quota", null, "?0", true },
        { "StorageFull", 507, Own + "storage-full", "30", "?0", false },
        { "StorageFailed", 503, Own + "storage-failed", "5", "?0", false },
    };

    /// <summary>The results of concatenation, which the draft does not have.</summary>
    private static readonly string[] NotInTheDraft = ["ConcatenationNotAppendable", "PartNotFound"];

    [Fact]
    public void Table_contains_every_result_kind() =>
        Assert.Equal(Enum.GetNames<UploadResultKind>().Except(NotInTheDraft).Order(), Table.Select(static row => row.Data.Item1).Order());

    [Theory]
    [MemberData(nameof(Table))]
    public void Result_kind_is_mapped_to_its_response(string kind, int status, string? type, string? retryAfter, string? complete, bool hasLimits)
    {
        UploadResult result = CreateResult(kind);
        HttpResponseData response = result.Kind == UploadResultKind.Cancelled ? CreateResponses().ForCancellation(result) : CreateResponses().ForAppend(result, Location);
        Assert.Equal((status, retryAfter, complete), (response.StatusCode, response.GetHeader("Retry-After"), response.GetHeader("Upload-Complete")));
        Assert.Equal(hasLimits ? "max-size=100, max-age=60" : null, response.GetHeader("Upload-Limit"));
        Assert.Equal(complete is null || kind is "NotFound" or "LengthExceeded" ? null : "5", response.GetHeader("Upload-Offset"));
        Assert.Equal(("no-store", "10"), (response.GetHeader("Cache-Control"), response.GetHeader("Upload-Draft-Interop-Version")));
        if (type is not null)
        {
            Assert.Equal(type, System.Text.Json.JsonDocument.Parse(response.Body).RootElement.GetProperty("type").GetString());
        }
    }

    [Fact]
    public void Append_to_complete_upload_at_its_offset_is_rejected_as_the_version_says()
    {
        HttpResponseData response = CreateResponses().ForAppend(CreateResult("AlreadyComplete") with { ProvidedOffset = 5 }, Location);
        Assert.Equal((400, "5", "?0"), (response.StatusCode, response.GetHeader("Upload-Offset"), response.GetHeader("Upload-Complete")));
    }

    [Fact]
    public void Rejection_of_existing_upload_has_its_remaining_age()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));
        var responses = new IetfResponses(IetfVersion.Latest, isAnnounced: true, new IetfLimits(100), TimeSpan.FromSeconds(60), time);
        HttpResponseData response = responses.ForAppend(CreateResult("AppendTooLarge") with { Expires = time.GetUtcNow().AddSeconds(7) }, Location);
        Assert.Equal("max-size=100, max-age=7", response.GetHeader("Upload-Limit"));
    }

    [Fact]
    public void Response_that_is_not_final_is_not_marked_as_complete()
    {
        UploadResult failed = CreateResult("HandlerFailed") with { Response = new StoredResponse(503, "text/plain", "Later."u8.ToArray()).ToBytes() };
        HttpResponseData response = CreateResponses().ForAppend(failed, Location);
        Assert.Equal((503, "?0"), (response.StatusCode, response.GetHeader("Upload-Complete")));
    }

    [Theory]
    [InlineData("Interrupted")]
    [InlineData("Preempted")]
    [InlineData("StorageFailed")]
    public void Failed_creation_returns_Location_if_upload_was_created(string kind)
    {
        Assert.Equal(Location, CreateResponses().ForCreation(CreateResult(kind) with { IsCreated = true }, Location).GetHeader("Location"));
        Assert.Null(CreateResponses().ForCreation(CreateResult(kind), Location).GetHeader("Location"));
        Assert.Null(CreateResponses().ForAppend(CreateResult(kind), Location).GetHeader("Location"));
    }

    private static IetfResponses CreateResponses() =>
        new(IetfVersion.Latest, isAnnounced: true, new IetfLimits(100), TimeSpan.FromSeconds(60), TimeProvider.System);

    private static UploadResult CreateResult(string kind) => new(Enum.Parse<UploadResultKind>(kind), 5)
    {
        ProvidedOffset = 7,
        UploadLength = 10,
        MaxUploadSize = 100,
        Rejection = new Rejection(418, "No."),
    };
}
