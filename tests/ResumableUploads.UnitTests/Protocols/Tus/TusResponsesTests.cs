using System.Text.Json;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>The response to each result (docs/protocols/tus.md#status-codes-and-problem-types).</summary>
public class TusResponsesTests
{
    private const string Own = "urn:resumable-uploads:";
    private const string Registered = "https://iana.org/assignments/http-problem-types#";
    private static readonly TusCapabilities Support = new(1234, SupportsChecksum: true);

    /// <summary>The result, the status of a response to PATCH, the problem type (null if the response is not a problem) and Retry-After.</summary>
    public static readonly TheoryData<string, int, string?, string?> Table = new()
    {
        { "Appended", 204, null, null },
        { "Completed", 204, null, null },
        { "Replayed", 204, null, null },
        { "Cancelled", 204, null, null },
        { "NotFound", 404, Own + "not-found", null },
        { "DifferentRequest", 409, Own + "different-request", null },
        { "OffsetMismatch", 409, Registered + "mismatching-upload-offset", null },
        { "AlreadyComplete", 409, Own + "upload-complete", null },
        { "DifferentContent", 409, Own + "different-content", null },
        { "ContentCodingMismatch", 415, Own + "content-coding", null },
        { "LengthConflict", 400, Registered + "inconsistent-upload-length", null },
        { "LengthExceeded", 413, Own + "upload-length-exceeded", null },
        { "UploadTooLarge", 413, Own + "too-large", null },
        { "AppendTooLarge", 413, Own + "append-too-large", null },
        { "DigestMismatch", 460, Own + "digest-mismatch", null },
        { "DigestMissing", 400, Own + "bad-checksum", null },
        { "ReprDigestMismatch", 460, Own + "digest-mismatch", null },
        { "DigestUnsupported", 413, Own + "digest-too-large", null },
        { "Preempted", 400, Own + "taken-over", null },
        { "Interrupted", 503, Own + "interrupted", null },
        { "IdleTimeout", 503, Own + "idle", null },
        { "BelowMinDataRate", 503, Own + "too-slow", null },
        { "ShuttingDown", 503, Own + "shutting-down", "1" },
        { "Busy", 423, Own + "busy", "1" },
        { "HandlerRunning", 503, Own + "still-completing", "5" },
        { "HandlerFailed", 503, Own + "handler-failed", "10" },
        { "DeadLettered", 500, Own + "parked", null },
        { "ConcatenationNotAppendable", 403, Own + "joined", null },
        { "PartNotFound", 400, Own + "part-missing", null },
        { "Rejected", 418, Own + "refused", null },
        { "PermitUsed", 403, Own + "ticket-used", null },
        { "MetadataTooLarge", 431, Own + "headers-too-large", null },
        { "TooManyUploads", 429, Own + "too-many-uploads", "60" },
        { "TooManyAppends", 429, Own + "too-many-requests", "5" },
        { "OwnerQuotaExceeded", 413, Own + "owner-quota", null },
        { "StorageFull", 507, Own + "storage-full", "30" },
        { "StorageFailed", 503, Own + "storage-failed", "5" },
    };

    [Fact]
    public void Table_contains_every_result_kind() =>
        Assert.Empty(Enum.GetNames<UploadResultKind>().Except(Table.Select(static row => row.Data.Item1)));

    [Theory]
    [MemberData(nameof(Table))]
    public void Result_kind_is_mapped_to_its_response(string kind, int status, string? type, string? retryAfter)
    {
        HttpResponseData response = TusResponses.For(CreateResult(kind));
        Assert.Equal((status, "1.0.0", "no-store"), (response.StatusCode, response.GetHeader("Tus-Resumable"), response.GetHeader("Cache-Control")));
        Assert.Equal(retryAfter, response.GetHeader("Retry-After"));
        Assert.Equal(kind is "NotFound" or "Cancelled" ? null : "7", response.GetHeader("Upload-Offset"));
        if (type is null)
        {
            Assert.True(response.Body.IsEmpty);
            return;
        }

        Assert.Equal(Problem.ContentType, response.ContentType);
        using JsonDocument json = JsonDocument.Parse(response.Body);
        Assert.Equal((type, status), (json.RootElement.GetProperty("type").GetString(), json.RootElement.GetProperty("status").GetInt32()));
        Assert.NotEqual("", json.RootElement.GetProperty("detail").GetString());
        Assert.Equal(kind != "NotFound", json.RootElement.TryGetProperty("expected-offset", out _));
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Creation_returns_Location_if_upload_was_created(string kind, int status, string? type, string? retryAfter)
    {
        _ = retryAfter;
        if (kind == "Cancelled")
        {
            return;
        }

        HttpResponseData made = TusResponses.ForCreation(CreateResult(kind) with { IsCreated = true }, "/files/1");
        Assert.Equal((type is null ? 201 : status, "/files/1"), (made.StatusCode, made.GetHeader("Location")));
        HttpResponseData rejected = TusResponses.ForCreation(CreateResult(kind), "/files/1");
        Assert.Equal(type is null ? "/files/1" : null, rejected.GetHeader("Location"));
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Server_side_condition_is_never_a_status_on_which_clients_give_up(string kind, int status, string? type, string? retryAfter)
    {
        _ = (type, retryAfter);
        if (kind is "Interrupted" or "IdleTimeout" or "BelowMinDataRate" or "ShuttingDown" or "Busy" or "HandlerRunning" or "HandlerFailed" or "StorageFull" or "StorageFailed")
        {
            Assert.True(status is 409 or 423 or >= 500, kind);
        }
    }

    /// <summary>tus-js-client sends the whole file again after any failure of HEAD except 423.</summary>
    [Theory]
    [MemberData(nameof(Table))]
    public void Failed_status_is_423_if_a_later_request_can_succeed(string kind, int status, string? type, string? retryAfter)
    {
        if (kind is "Appended" or "Completed" or "Replayed" or "Cancelled")
        {
            return;
        }

        bool isTransient = kind is "Preempted" or "Interrupted" or "IdleTimeout" or "BelowMinDataRate" or "ShuttingDown" or "Busy" or "HandlerRunning" or "HandlerFailed"
            or "TooManyUploads" or "TooManyAppends" or "OwnerQuotaExceeded" or "StorageFull" or "StorageFailed";
        HttpResponseData response = TusResponses.ForFailedStatus(CreateResult(kind));
        Assert.Equal((isTransient ? 423 : status, retryAfter, null), (response.StatusCode, response.GetHeader("Retry-After"), response.GetHeader("Upload-Offset")));
        using JsonDocument json = JsonDocument.Parse(response.Body);
        Assert.Equal(type, json.RootElement.GetProperty("type").GetString());
        Assert.Equal(isTransient && kind != "StorageFailed" ? 423 : status, TusResponses.ForFailedStatus(CreateResult(kind) with { IsDamaged = true }).StatusCode);
    }

    [Fact]
    public void Expiration_is_an_IMF_fixdate_on_success_and_failure()
    {
        var at = new DateTimeOffset(2026, 3, 1, 12, 30, 5, TimeSpan.FromHours(2));
        foreach (UploadResultKind kind in new[] { UploadResultKind.Appended, UploadResultKind.OffsetMismatch, UploadResultKind.Interrupted })
        {
            Assert.Equal("Sun, 01 Mar 2026 10:30:05 GMT", TusResponses.For(new UploadResult(kind, 7) { Expires = at }).GetHeader("Upload-Expires"));
        }
    }

    [Fact]
    public void Missing_checksum_trailer_returns_400() =>
        Assert.Equal(400, TusResponses.For(CreateResult("DigestMissing")).StatusCode);

    [Fact]
    public void Cancellation_of_unknown_upload_returns_404() =>
        Assert.Equal(404, TusResponses.For(new UploadResult(UploadResultKind.Cancelled)).StatusCode);

    [Theory]
    [InlineData(405, "Allow", "GET, HEAD, PATCH, DELETE, OPTIONS")]
    [InlineData(412, "Tus-Version", "1.0.0")]
    [InlineData(413, "Tus-Max-Size", "1234")]
    [InlineData(400, "Tus-Version", null)]
    public void Problem_carries_header_with_supported_values(int status, string header, string? value)
    {
        HttpResponseData response = TusResponses.For(new Problem(status, Problem.CustomType("x"), "x", "x"), Support, isUpload: true);
        Assert.Equal((status, value, "1.0.0"), (response.StatusCode, response.GetHeader(header), response.GetHeader("Tus-Resumable")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Discovery_advertises_checksum_only_if_supported(bool hasChecksum)
    {
        HttpResponseData response = TusResponses.ForDiscovery(new TusCapabilities(5, hasChecksum), isUpload: false);
        Assert.Equal((204, "1.0.0", "5"), (response.StatusCode, response.GetHeader("Tus-Version"), response.GetHeader("Tus-Max-Size")));
        Assert.Equal(hasChecksum, response.GetHeader("Tus-Extension")!.Contains("checksum", StringComparison.Ordinal));
        Assert.Equal(hasChecksum, response.GetHeader("Tus-Checksum-Algorithm") is not null);
    }

    [Theory]
    [InlineData(200, "", false, 204)]
    [InlineData(200, "", true, 204)]
    [InlineData(200, "x", false, 204)]
    [InlineData(200, "x", true, 200)]
    [InlineData(302, "", true, 204)]
    [InlineData(302, "x", false, 204)]
    [InlineData(422, "x", false, 422)]
    [InlineData(422, "x", true, 422)]
    public void Successful_application_response_is_204_or_200_with_a_body_that_is_sent(int status, string body, bool isSent, int expected)
    {
        UploadResult result = CreateStoredResult(UploadResultKind.Completed, status, body);
        HttpResponseData response = TusResponses.For(result, new TusResponseBody(isSent));
        Assert.Equal((expected, "7", "/there"), (response.StatusCode, response.GetHeader("Upload-Offset"), response.GetHeader("Content-Location")));
        Assert.Null(response.GetHeader("Location"));
        HttpResponseData created = TusResponses.ForCreation(result, "/files/1", new TusResponseBody(isSent));
        Assert.Equal((status < 400 ? 201 : status, "/files/1", "/there"), (created.StatusCode, created.GetHeader("Location"), created.GetHeader("Content-Location")));
        bool hasBody = body.Length > 0 && (isSent || status >= 400);
        Assert.All([response, created], response => Assert.Equal((hasBody, hasBody ? "text/plain" : null), (!response.Body.IsEmpty, response.ContentType)));
        Assert.All([response, created], response => Assert.Equal(status < 400 && !hasBody, response.OmitsBody));
    }

    /// <summary>The option of the app, Prefer, whether the body is sent, and whether the response has Preference-Applied.</summary>
    [Theory]
    [InlineData(false, null, false, false)]
    [InlineData(true, null, true, false)]
    [InlineData(false, "return=representation", true, true)]
    [InlineData(true, "return=representation", true, true)]
    [InlineData(false, "return=minimal", false, false)]
    [InlineData(true, "return=minimal", false, false)]
    [InlineData(true, "return=other", true, false)]
    public void Preference_of_the_client_takes_precedence_over_the_option(bool option, string? prefer, bool isSent, bool isApplied)
    {
        var headers = new HeaderDictionary { ["Prefer"] = prefer };
        HttpResponseData response = TusResponses.For(CreateStoredResult(UploadResultKind.Replayed, 200, "x"), TusResponseBody.Select(headers, option));
        Assert.Equal((isSent ? 200 : 204, isApplied ? "return=representation" : null), (response.StatusCode, response.GetHeader("Preference-Applied")));
    }

    [Fact]
    public void Retryable_application_response_is_sent_unchanged()
    {
        HttpResponseData response = TusResponses.For(CreateStoredResult(UploadResultKind.HandlerFailed, 503, "later"));
        Assert.Equal((503, "7"), (response.StatusCode, response.GetHeader("Upload-Offset")));
        HttpResponseData created = TusResponses.ForCreation(CreateStoredResult(UploadResultKind.HandlerFailed, 503, "later"), "/files/1");
        Assert.Equal((503, "/files/1"), (created.StatusCode, created.GetHeader("Location")));
    }

    private static UploadResult CreateStoredResult(UploadResultKind kind, int status, string body) => new(kind, 7)
    {
        Response = new StoredResponse(status, [new("Content-Type", "text/plain"), new("Location", "/there")], System.Text.Encoding.ASCII.GetBytes(body)).ToBytes(),
    };

    private static UploadResult CreateResult(string kind) => new(Enum.Parse<UploadResultKind>(kind), 7)
    {
        ProvidedOffset = 3,
        MaxUploadSize = 10,
        Rejection = new Rejection(418, "no teapots"),
    };
}
