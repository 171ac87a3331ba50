using Microsoft.Playwright;
using ResumableUploads.FunctionalTests.Clients.Browser;

namespace ResumableUploads.FunctionalTests.Clients.ChunkedUploaders;

/// <summary>Runs the scripts of <c>docs/clients/chunked-uploaders.md</c> in Chromium.</summary>
[Collection<ChromiumCollection>]
public class ChunkedUploaderTests(Chromium chromium)
{
    private const int FileSize = 5 * Recipe.ChunkSize;
    private const string FileName = "Überraschung 文件.bin";

    public static TheoryData<string> Libraries => Recipe.Libraries;

    [Fact]
    public void Page_has_a_recipe_for_each_library() =>
        Assert.Equal(["flow.js", "resumable.js", "dropzone", "plupload", "upchunk", "filepond", "uploady"], Recipe.Libraries.Select(static row => row.Data));

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Recipe_has_at_most_ten_lines(string library) => Assert.InRange(Recipe.Lines(library).Count, 1, 10);

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task Upload_of_several_chunks_completes_once(string library)
    {
        await using ChunkedUploaderSite site = await ChunkedUploaderSite.StartAsync(chromium, library);
        using var file = new SourceFile(FileName, FileSize);
        IPage page = await site.OpenAsync();
        await ChunkedUploaderSite.ChooseAsync(page, file);
        await ChunkedUploaderSite.ExpectSuccessAsync(page);

        site.AssertArrivedOnce(file);
        site.AssertOnlyMissingBytesWereAccepted(stored: 0, before: 0, FileSize);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task New_page_sends_only_the_missing_bytes(string library)
    {
        await using ChunkedUploaderSite site = await ChunkedUploaderSite.StartAsync(chromium, library);
        using var file = new SourceFile(FileName, FileSize);
        IPage first = await site.OpenAsync();
        site.Proxy.HoldAfter(5 * Recipe.ChunkSize / 2);
        await ChunkedUploaderSite.ChooseAsync(first, file);
        await site.WaitForBytesAsync(2 * Recipe.ChunkSize);
        int sentBefore = site.Appends.Count;
        await first.CloseAsync();
        site.BreakConnections();

        IPage second = await site.OpenAsync();
        await ChunkedUploaderSite.ChooseAsync(second, file);
        await ChunkedUploaderSite.ExpectSuccessAsync(second);

        site.AssertArrivedOnce(file);
        site.AssertOnlyMissingBytesWereAccepted(2 * Recipe.ChunkSize, sentBefore, FileSize);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task Broken_connection_is_continued_by_the_page(string library)
    {
        await using ChunkedUploaderSite site = await ChunkedUploaderSite.StartAsync(chromium, library);
        using var file = new SourceFile(FileName, FileSize);
        IPage page = await site.OpenAsync();
        site.Proxy.HoldAfter(5 * Recipe.ChunkSize / 2);
        await ChunkedUploaderSite.ChooseAsync(page, file);
        await site.WaitForBytesAsync(2 * Recipe.ChunkSize);
        int sentBefore = site.Appends.Count;
        site.BreakConnections();

        await ChunkedUploaderSite.ExpectSuccessAsync(page);
        site.AssertArrivedOnce(file);
        site.AssertOnlyMissingBytesWereAccepted(2 * Recipe.ChunkSize, sentBefore, FileSize);
    }
}
