using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Limits;

/// <summary>A large form is read from the store, without buffering it in memory or in a second file.</summary>
[Collection<Alone>]
public class FormMemoryTests
{
    private const long FormSize = 512L << 20;
    private const long MostMemory = 20L << 20;

    /// <summary>The number of bytes between two measurements. A measurement collects garbage first, which is slow.</summary>
    private const long Step = 64L << 20;

    [Fact]
    public async Task Form_of_512_MiB_uses_less_than_20_MiB_of_managed_memory()
    {
        Assert.SkipUnless(new DriveInfo(Path.GetTempPath()).AvailableFreeSpace > 1L << 30, "There is not enough space for a form of 512 MiB in the temporary directory.");
        var form = new LargeForm(FormSize);
        long most = 0, read = 0;
        bool same = true;
        int temporary = -1;
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost("/form", async (IFormFile file, HttpContext context) =>
        {
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
            temporary = TemporaryFiles();
            await using Stream stream = file.OpenReadStream();
            byte[] buffer = new byte[64 << 10];
            for (int count; (count = await stream.ReadAsync(buffer)) > 0; read += count)
            {
                same &= LargeForm.IsFile(read, buffer.AsSpan(0, count));
                if (read % Step < count)
                {
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
                }
            }

            return $"{context.Request.Form["title"]} {file.FileName} {file.Length}";
        }).DisableAntiforgery().WithResumableUploads());
        app.Client.Timeout = TimeSpan.FromMinutes(5);

        // The app has handled a request before, so that its one-time allocations are not measured.
        (await app.Client.AppendAsync("warm", 0, form.Part(0, 1000), form.Length, "/form", ("Content-Type", LargeForm.ContentType))).Dispose();
        (await app.Client.DeleteUploadAsync("warm", "/form")).Dispose();
        long idle = GC.GetTotalMemory(forceFullCollection: true);
        long half = form.Length * 3 / 5;
        (await app.Client.AppendAsync("f", 0, form.Part(0, half, Measure), form.Length, "/form", ("Content-Type", LargeForm.ContentType))).Dispose();
        using HttpResponseMessage response = await app.Client.AppendAsync("f", half, form.Part(half, form.Length, Measure), form.Length, "/form", ("Content-Type", LargeForm.ContentType));

        Assert.Equal($"Large large.bin {form.FileSize}", await response.Content.ReadAsStringAsync());
        Assert.Equal((form.FileSize, true), (read, same));
        string cost = $"{(most - idle) / 1024.0 / 1024:0.0} MiB above idle";
        TestContext.Current.SendDiagnosticMessage(cost);
        Assert.True(most - idle < MostMemory, cost);
        Assert.Equal(0, temporary);

        void Measure(long sent)
        {
            if (sent % Step < LargeForm.BlockSize)
            {
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
            }
        }
    }

    [Fact]
    public async Task Chunked_form_is_not_copied_to_temporary_file()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The open files of a process are seen in /proc.");
        int files = -1;
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapPost("/form", (IFormFile file) =>
        {
            files = TemporaryFiles();
            return file.Length;
        }).DisableAntiforgery().WithResumableUploads());
        var form = new LargeForm(1 << 20);

        using (HttpContent whole = form.Part(0, form.Length))
        {
            whole.Headers.TryAddWithoutValidation("Content-Type", LargeForm.ContentType);
            (await app.Client.PostAsync("/form", whole)).Dispose();
        }

        Assert.Equal(1, files);
        (await app.Client.AppendAsync("f", 0, form.Part(0, 1000), form.Length, "/form", ("Content-Type", LargeForm.ContentType))).Dispose();
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 1000, form.Part(1000, form.Length), form.Length, "/form");
        Assert.Equal((0, "1048576"), (files, await response.Content.ReadAsStringAsync()));
    }

    /// <summary>Counts the temporary files in which the framework buffers bodies.</summary>
    private static int TemporaryFiles() => !OperatingSystem.IsLinux() ? 0 : Directory.EnumerateFiles("/proc/self/fd")
        .Count(static handle => new FileInfo(handle).LinkTarget?.Contains("ASPNETCORE_", StringComparison.Ordinal) is true);
}
