using System.Text.Json;
using ResumableUploads.Engine;
using ResumableUploads.Protocols;
using ResumableUploads.Protocols.Tus;

namespace ResumableUploads.UnitTests.Protocols.Tus;

/// <summary>The table of answers, cell by cell.</summary>
public class TusAnswersTests
{
    private const string Own = "urn:resumable-uploads:";
    private const string Registered = "https://iana.org/assignments/http-problem-types#";
    private static readonly TusCapabilities Support = new(1234, SupportsChecksum: true);

    /// <summary>Outcome, status of a piece, type, Retry-After. Type null: no problem.</summary>
    public static readonly TheoryData<string, int, string?, string?> Table = new()
    {
        { "Appended", 204, null, null },
        { "Completed", 204, null, null },
        { "Replayed", 204, null, null },
        { "Cancelled", 204, null, null },
        { "NotFound", 404, Own + "not-found", null },
        { "OffsetMismatch", 409, Registered + "mismatching-upload-offset", null },
        { "AlreadyComplete", 409, Own + "upload-complete", null },
        { "LengthConflict", 400, Registered + "inconsistent-upload-length", null },
        { "LengthExceeded", 413, Own + "upload-length-exceeded", null },
        { "UploadTooLarge", 413, Own + "too-large", null },
        { "AppendTooLarge", 413, Own + "append-too-large", null },
        { "DigestMismatch", 460, Own + "digest-mismatch", null },
        { "DigestMissing", 400, Own + "bad-checksum", null },
        { "ReprDigestMismatch", 460, Own + "digest-mismatch", null },
        { "DigestUnsupported", 413, Own + "digest-too-large", null },
        { "Preempted", 409, Own + "taken-over", null },
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
        { "MetadataTooLarge", 431, Own + "headers-too-large", null },
        { "TooManyUploads", 429, Own + "too-many-uploads", "60" },
        { "TooManyAppends", 429, Own + "too-many-requests", "5" },
        { "OwnerQuotaExceeded", 413, Own + "owner-quota", null },
        { "StorageFull", 507, Own + "storage-full", "30" },
        { "StorageFailed", 503, Own + "storage-failed", "5" },
    };

    [Fact]
    public void Every_outcome_has_its_row() =>
        Assert.Empty(Enum.GetNames<UploadResultKind>().Except(Table.Select(static row => row.Data.Item1)));

    [Theory]
    [MemberData(nameof(Table))]
    public void T1_each_outcome_has_its_answer(string kind, int status, string? type, string? retryAfter)
    {
        HttpResponseData response = TusResponses.For(Outcome(kind));
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
    public void T42_a_creation_names_the_upload_wherever_there_is_one(string kind, int status, string? type, string? retryAfter)
    {
        _ = retryAfter;
        if (kind == "Cancelled")
        {
            return;
        }

        HttpResponseData made = TusResponses.ForCreation(Outcome(kind) with { IsCreated = true }, "/files/1");
        Assert.Equal((type is null ? 201 : status, "/files/1"), (made.StatusCode, made.GetHeader("Location")));
        HttpResponseData refused = TusResponses.ForCreation(Outcome(kind), "/files/1");
        Assert.Equal(type is null ? "/files/1" : null, refused.GetHeader("Location"));
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void T16_what_the_server_does_to_itself_is_nothing_for_which_a_client_gives_up(string kind, int status, string? type, string? retryAfter)
    {
        _ = (type, retryAfter);
        if (kind is "Preempted" or "Interrupted" or "IdleTimeout" or "BelowMinDataRate" or "ShuttingDown" or "Busy" or "HandlerRunning" or "HandlerFailed" or "StorageFull" or "StorageFailed")
        {
            Assert.True(status is 409 or 423 or >= 500, kind);
        }
    }

    [Fact]
    public void T45_an_expiration_is_an_imf_fixdate_on_good_and_bad_answers()
    {
        var at = new DateTimeOffset(2026, 3, 1, 12, 30, 5, TimeSpan.FromHours(2));
        foreach (UploadResultKind kind in new[] { UploadResultKind.Appended, UploadResultKind.OffsetMismatch, UploadResultKind.Interrupted })
        {
            Assert.Equal("Sun, 01 Mar 2026 10:30:05 GMT", TusResponses.For(new UploadResult(kind, 7) { Expires = at }).GetHeader("Upload-Expires"));
        }
    }

    [Fact]
    public void T53_a_checksum_that_did_not_come_is_a_400() =>
        Assert.Equal(400, TusResponses.For(Outcome("DigestMissing")).StatusCode);

    [Fact]
    public void T55_what_was_not_there_to_be_deleted_is_a_404() =>
        Assert.Equal(404, TusResponses.For(new UploadResult(UploadResultKind.Cancelled)).StatusCode);

    [Theory]
    [InlineData(405, "Allow", "HEAD, PATCH, DELETE, OPTIONS")]
    [InlineData(412, "Tus-Version", "1.0.0")]
    [InlineData(413, "Tus-Max-Size", "1234")]
    [InlineData(400, "Tus-Version", null)]
    public void T2_and_T6_a_problem_says_what_would_be_right(int status, string header, string? value)
    {
        HttpResponseData response = TusResponses.For(new Problem(status, Problem.CustomType("x"), "x", "x"), Support, isUpload: true);
        Assert.Equal((status, value, "1.0.0"), (response.StatusCode, response.GetHeader(header), response.GetHeader("Tus-Resumable")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void T30_discovery_says_checksum_only_where_there_is_one(bool hasChecksum)
    {
        HttpResponseData response = TusResponses.ForDiscovery(new TusCapabilities(5, hasChecksum), isUpload: false);
        Assert.Equal((204, "1.0.0", "5"), (response.StatusCode, response.GetHeader("Tus-Version"), response.GetHeader("Tus-Max-Size")));
        Assert.Equal(hasChecksum, response.GetHeader("Tus-Extension")!.Contains("checksum", StringComparison.Ordinal));
        Assert.Equal(hasChecksum, response.GetHeader("Tus-Checksum-Algorithm") is not null);
    }

    [Theory]
    [InlineData(200, "", 204)]
    [InlineData(200, "x", 200)]
    [InlineData(302, "", 204)]
    [InlineData(422, "x", 422)]
    public void The_applications_good_is_a_204_or_with_a_body_a_200_for_a_piece(int status, string body, int expected)
    {
        UploadResult result = Said(UploadResultKind.Completed, status, body);
        HttpResponseData response = TusResponses.For(result);
        Assert.Equal((expected, "7", "/there"), (response.StatusCode, response.GetHeader("Upload-Offset"), response.GetHeader("Content-Location")));
        Assert.Null(response.GetHeader("Location"));
        HttpResponseData created = TusResponses.ForCreation(result, "/files/1");
        Assert.Equal((status < 400 ? 201 : status, "/files/1", "/there"), (created.StatusCode, created.GetHeader("Location"), created.GetHeader("Content-Location")));
    }

    [Fact]
    public void The_applications_later_is_said_in_its_own_words()
    {
        HttpResponseData response = TusResponses.For(Said(UploadResultKind.HandlerFailed, 503, "later"));
        Assert.Equal((503, "7"), (response.StatusCode, response.GetHeader("Upload-Offset")));
        HttpResponseData created = TusResponses.ForCreation(Said(UploadResultKind.HandlerFailed, 503, "later"), "/files/1");
        Assert.Equal((503, "/files/1"), (created.StatusCode, created.GetHeader("Location")));
    }

    private static UploadResult Said(UploadResultKind kind, int status, string body) => new(kind, 7)
    {
        Response = new StoredResponse(status, [new("Content-Type", "text/plain"), new("Location", "/there")], System.Text.Encoding.ASCII.GetBytes(body)).ToBytes(),
    };

    private static UploadResult Outcome(string kind) => new(Enum.Parse<UploadResultKind>(kind), 7)
    {
        ProvidedOffset = 3,
        MaxUploadSize = 10,
        Rejection = new Rejection(418, "no teapots"),
    };
}
