using System.Diagnostics;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Where in the life of an upload this process is to die: the client names the step in its query (<c>?die=after-outcome</c>). Each upload
/// dies once at a step, and a file remembers it, so that the next process goes on. <c>?die=always-...</c> is not remembered.
/// </summary>
/// <param name="step">The step, or null for none.</param>
/// <param name="mark">The file that says that it has happened.</param>
internal sealed class Death(string? step, string mark)
{
    private const string Always = "always-";
    private static readonly AsyncLocal<Death?> OfThisRequest = new();

    /// <summary>Reads from a request where to die; what is called in that request then knows it.</summary>
    public static void Foresee(HttpContext context, string marks)
    {
        string fileId = context.Request.Headers["X-File-Id"].ToString();
        OfThisRequest.Value = new Death(context.Request.Query["die"], Path.Combine(marks, fileId));
    }

    /// <summary>Dies, where the request that is worked on says that this is the step.</summary>
    public static void Come(string step) => OfThisRequest.Value?.ComeAt(step);

    private void ComeAt(string now)
    {
        if (step == Always + now || (step == now && IsFirst()))
        {
            Process.GetCurrentProcess().Kill();
        }
    }

    private bool IsFirst()
    {
        if (File.Exists(mark))
        {
            return false;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(mark)!);
        File.WriteAllText(mark, step);
        return true;
    }
}
